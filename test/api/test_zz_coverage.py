"""After everything else: a run that has not exercised the whole API has not tested it."""


def documented(contract):
    """Every ((method, template), status) of the document, those included that it calls `default`."""
    for key, (_, operation) in contract.operations.items():
        statuses = set(operation["responses"])
        if "default" in statuses:
            statuses |= contract.other_statuses()
        for status in sorted(statuses - {"default"}):
            yield key, status


def test_every_operation_of_the_document_was_exercised(server):
    seen = {key for key, _ in server.contract.exercised}
    missing = sorted(f"{method.upper()} {path}" for method, path in server.contract.operations
                     if (method, path) not in seen)
    assert not missing, missing


def test_every_status_of_every_operation_was_exercised_and_validated(server, capsys):
    """Each was held against the document when it came. What was not, has a reason that is printed."""
    contract = server.contract
    wanted = list(documented(contract))
    seen = [each for each in wanted if each in contract.exercised]
    excused = [each for each in wanted if each not in contract.exercised and each in contract.reasons]
    missing = [each for each in wanted if each not in contract.exercised and each not in contract.reasons]
    with capsys.disabled():
        print(f"\n{len(contract.operations)} operations × statuses: {len(seen)} of {len(wanted)} exercised")
        for (method, path), status in excused:
            print(f"    not {status} of {method.upper()} {path}: {contract.reasons[(method, path), status]}")
    assert not missing, "\n".join(f"{method.upper()} {path} {status}" for (method, path), status in missing)
