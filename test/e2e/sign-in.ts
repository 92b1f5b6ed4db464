/** Signs in once and keeps the session for the tests. */
import { request } from "@playwright/test";
import { instance, sessionFile } from "./instance";

export default async function signIn() {
  const context = await request.newContext();
  const answer = await context.post(`${instance.url}/api/partner-auth/login`, {
    data: { email: instance.email, password: instance.password },
  });
  if (!answer.ok()) {
    throw new Error(`cannot sign in at ${instance.url}: ${answer.status()} ${await answer.text()}`);
  }
  await context.storageState({ path: sessionFile });
  await context.dispose();
}
