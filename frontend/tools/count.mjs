// The plain count at the end of a test run, and its exit status.
//   node tools/count.mjs REPORT CHECKS_FAILED CHECKS
// REPORT is vitest's JSON. A run without a single test has failed.
import { readFileSync } from "node:fs";

const [report, checksFailed, checks] = process.argv.slice(2);
const result = JSON.parse(readFileSync(report, "utf8"));
const failed = result.numFailedTests + Number(checksFailed) + brokenFiles(result);
const passed = result.numPassedTests + Number(checks) - Number(checksFailed);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || result.numPassedTests === 0 ? 1 : 0);

// Files that could not even be loaded have no failed test of their own.
function brokenFiles({ testResults }) {
  return testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0)
    .length;
}
