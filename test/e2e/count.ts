import type { FullResult, Reporter, Suite } from "@playwright/test/reporter";

/** The plain count at the end. A test that was skipped did not pass, and a run without tests failed. */
export default class Count implements Reporter {
  private suite: Suite | null = null;

  onBegin(_config: unknown, suite: Suite) {
    this.suite = suite;
  }

  onEnd(_result: FullResult): { status?: FullResult["status"] } {
    const tests = this.suite?.allTests() ?? [];
    const passed = tests.filter((test) => test.outcome() === "expected").length;
    const failed = tests.length - passed;
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    return passed === 0 || failed > 0 ? { status: "failed" } : {};
  }

  printsToStdio() {
    return false;
  }
}
