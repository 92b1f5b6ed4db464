import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "./support";

/** The dashboard's own types, by hand, against what the server says of itself. */
const interfaces: Record<string, string> = {
  Partner: "Partner",
  User: "User",
  Session: "SignedIn",
  Stats: "LearningStats",
  Candidate: "Candidate",
  PastDecision: "CandidateDetail/decision",
  CandidateDetail: "CandidateDetail",
  ApproveAnswer: "Approval",
  PromotedRule: "PromotedRule",
  DeployAnswer: "Deployment",
  Execution: "Execution",
  Site: "Site",
  Appliance: "Appliance",
  RuleDeployments: "RuleDeployments",
  RuleDeployment: "RuleDeployment",
  AuditEntry: "AuditEntry",
  Person: "Person",
  PasswordLink: "PasswordLink",
  ApiKey: "ApiKey",
  Problem: "Problem",
};

interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
}

interface Member {
  name: string;
  optional: boolean;
  type: string;
}

function membersOf(source: string, name: string): Member[] {
  const body = new RegExp(`export interface ${name} (?:extends \\w+ )?\\{\\n([\\s\\S]*?)\\n\\}`).exec(source)?.[1];
  if (!body) throw new Error(`there is no interface ${name}`);
  return [...body.matchAll(/^ {2}(\w+)(\??): (.+);$/gm)].map(([, member, mark, type]) => ({
    name: member!,
    optional: mark === "?",
    type: type!,
  }));
}

test("the dashboard's types are those of the server's own description", async ({ page }) => {
  const answer = await page.request.get("/api/openapi.json");
  expect(answer.ok()).toBe(true);
  const { schemas } = ((await answer.json()) as { components: { schemas: Record<string, Schema> } })
    .components;
  const resolve = (schema: Schema): Schema =>
    schema.$ref ? resolve(schemas[schema.$ref.split("/").at(-1)!]!) : schema;
  const propertiesOf = (schema: Schema): Record<string, Schema> => {
    const { properties = {}, allOf = [], oneOf = [], anyOf = [] } = resolve(schema);
    return Object.assign({}, ...[...allOf, ...oneOf, ...anyOf].map(propertiesOf), properties);
  };
  const requiredOf = (schema: Schema): string[] => {
    const { required = [], allOf = [] } = resolve(schema);
    return [...required, ...allOf.flatMap(requiredOf)];
  };
  const nullable = (schema: Schema): boolean => {
    const { type, anyOf = [], oneOf = [], enum: values = [] } = resolve(schema);
    return (
      type === "null" ||
      (Array.isArray(type) && type.includes("null")) ||
      values.includes(null) ||
      [...anyOf, ...oneOf].some(nullable)
    );
  };

  const here = dirname(fileURLToPath(import.meta.url));
  const source = readFileSync(
    join(here, "..", "..", "frontend", "src", "api", "types.ts"),
    "utf8",
  );
  const differences: string[] = [];
  let compared = 0;
  for (const [name, where] of Object.entries(interfaces)) {
    const [schemaName, member] = where.split("/");
    let schema: Schema = schemas[schemaName!]!;
    expect(schema, schemaName).toBeTruthy();
    if (member) schema = propertiesOf(schema)[member]!;
    const properties = propertiesOf(schema);
    const required = requiredOf(schema);
    for (const { name: own, optional, type } of membersOf(source, name)) {
      compared += 1;
      const theirs = properties[own];
      if (!theirs) {
        differences.push(`${name}.${own}: the server has no such member`);
        continue;
      }
      if (nullable(theirs) && !/\bnull\b/.test(type)) {
        differences.push(`${name}.${own}: can be null`);
      }
      if (!optional && !required.includes(own)) {
        differences.push(`${name}.${own}: may be absent`);
      }
    }
  }
  expect(compared).toBeGreaterThan(80);
  expect(differences).toEqual([]);
});
