"""The members that docs/data.md says are kept of an incident are those of the code. Speaks as cmocka does, so that it is counted.

usage: documented_members.py TEST_INCIDENT DOCUMENT
"""
import re
import subprocess
import sys

listed = subprocess.run([sys.argv[1], "--list"], capture_output=True, text=True, check=True).stdout.split("\n")
coded = {kind: sorted(line.split(" ")[1] for line in listed if line.startswith(kind + " ")) for kind in ("word", "text", "figure")}
document = open(sys.argv[2], encoding="utf-8").read()
documented = {}
for kind in coded:
    block = re.search(rf"^```members {kind}\n(.*?)^```", document, re.M | re.S)
    documented[kind] = sorted(name.lstrip("…") for name in block.group(1).split()) if block else []
wrong = [f"{kind}: only in the code {sorted(set(coded[kind]) - set(documented[kind]))}, only in the document "
         f"{sorted(set(documented[kind]) - set(coded[kind]))}" for kind in coded if coded[kind] != documented[kind]]
if wrong or not coded["word"]:
    print("\n".join(wrong), "\n[  FAILED  ] 1 test(s).")
    sys.exit(1)
print("[  PASSED  ] 1 test(s).")
