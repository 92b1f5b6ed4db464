"""Counts checks; says one line for each that fails."""


class Report:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, holds, sentence):
        """One check. `sentence` says what is wrong when it does not hold."""
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print("FAILED  " + sentence)
        return bool(holds)

    def same(self, here, there, sentence_here, sentence_there):
        """Two sets must be equal; each element is a check. The sentences say what an element only here, or only there, means."""
        for element in sorted(set(here) | set(there), key=str):
            self.check(element in here and element in there,
                       f"{sentence_there if element not in here else sentence_here}: {element}")

    def end(self):
        """The final line, and the exit status: a run that checked nothing has failed."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0
