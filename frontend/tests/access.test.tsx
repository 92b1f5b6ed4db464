import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { App, newQueryClient } from "../src/App";
import {
  apiKey,
  auditEntry,
  keys,
  learning,
  person,
  problem,
  Server,
  signedIn,
  unreachable,
  users,
} from "./server";

const token = `fwl_${"a".repeat(43)}`;
const secret = `fwk_${"b".repeat(43)}`;
const link = { token, expires_at: "2026-11-25T10:00:00Z" };

function open(address: string) {
  window.history.replaceState(null, "", address);
  render(<App client={newQueryClient()} />);
  return userEvent.setup();
}

const people = "/?tab=access";
const row = async (name: string | RegExp) => screen.findByRole("row", { name: new RegExp(name) });
const press = (user: ReturnType<typeof userEvent.setup>, name: string | RegExp, within_: HTMLElement) =>
  user.click(within(within_).getByRole("button", { name }));

test("people and keys are shown to admins only; others are told whose they are", async () => {
  const server = signedIn("approver");
  open(`${people}&view=keys`);
  expect(await screen.findByText("People and keys are for admins")).toBeTruthy();
  expect(screen.queryByRole("link", { name: "Access" })).toBeNull();
  expect(server.calls(`GET ${keys}`)).toHaveLength(0);
});

test("inviting: what is missing is said, a taken address is said beside it, the link is shown once", async () => {
  let taken = true;
  const server = signedIn("admin").on(`POST ${users}`, () =>
    taken
      ? problem(409, "Somebody has this e-mail address already.", {
          type: "urn:flywheel:problem:address-taken",
        })
      : { status: 201, body: { user: person("lee", { status: "invited" }), link } },
  );
  const user = open(people);
  await user.click(await screen.findByRole("button", { name: /^Invite/ }));
  const dialog = await screen.findByRole("dialog", { name: "Invite somebody" });
  expect(document.activeElement).toBe(within(dialog).getByLabelText("Email"));
  await press(user, "Make the invitation", dialog);
  expect(within(dialog).getByText("Enter an email address.")).toBeTruthy();
  await user.type(within(dialog).getByLabelText("Email"), "lee at clinic");
  await user.tab();
  expect(within(dialog).getByText(/Write it like/)).toBeTruthy();
  expect(server.calls(`POST ${users}`)).toHaveLength(0);

  await user.clear(within(dialog).getByLabelText("Email"));
  await user.type(within(dialog).getByLabelText("Email"), " lee@clearwater.example ");
  await user.click(within(dialog).getByRole("radio", { name: /^Approver/ }));
  await press(user, "Make the invitation", dialog);
  expect(await within(dialog).findByText(/has this e-mail address already/)).toBeTruthy();
  taken = false;
  await press(user, "Make the invitation", dialog);

  const handed = await screen.findByRole("dialog", { name: "Password link for lee@clearwater.example" });
  expect(within(handed).getByLabelText<HTMLTextAreaElement>(/shown only now/).value).toBe(
    `${window.location.origin}/#set-password=${token}`,
  );
  expect(server.calls(`POST ${users}`).at(-1)!.body).toEqual({
    email: "lee@clearwater.example",
    role: "approver",
  });
  // The list has been asked for anew.
  expect(server.calls(`GET ${users}`).length).toBeGreaterThan(1);
});

test("a secret that was not copied is not closed away by mistake; a copied one is", async () => {
  const copied = vi.fn<(text: string) => Promise<void>>().mockResolvedValue();
  signedIn("admin").on(`POST ${users}/id-kim/password-reset`, { body: { user: person("kim"), link } });
  const user = open(people);
  vi.spyOn(navigator.clipboard, "writeText").mockImplementation(copied);
  const makeLink = async () => {
    await press(user, /^Reset password kim/, await row("Kim Reyes"));
    await press(user, "Make a link", await screen.findByRole("dialog", { name: /^Reset the password/ }));
    return screen.findByRole("dialog", { name: /^Password link/ });
  };
  let dialog = await makeLink();
  await press(user, "Close", dialog);
  expect(within(dialog).getByText(/You have not copied the link yet/)).toBeTruthy();
  await press(user, "Close without copying", dialog);
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());

  dialog = await makeLink();
  await press(user, "Copy the link", dialog);
  expect(await within(dialog).findByText("Copied.")).toBeTruthy();
  expect(copied).toHaveBeenCalledWith(`${window.location.origin}/#set-password=${token}`);
  await press(user, "Done", dialog);
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
});

test("P38: an invitation whose answer was lost is sent again under the same key", async () => {
  let lost = true;
  const server = signedIn("admin").on(`POST ${users}`, () => {
    if (lost) return unreachable();
    return { status: 201, body: { user: person("lee", { status: "invited" }), link } };
  });
  const user = open(people);
  await user.click(await screen.findByRole("button", { name: /^Invite/ }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByLabelText("Email"), "lee@clearwater.example");
  await press(user, "Make the invitation", dialog);
  expect(await within(dialog).findByText(/could not be reached/)).toBeTruthy();
  lost = false;
  await press(user, "Make the invitation", dialog);
  await screen.findByRole("dialog", { name: /^Password link/ });
  const sent = server.calls(`POST ${users}`).map((call) => call.headers.get("Idempotency-Key"));
  expect(sent).toHaveLength(2);
  expect(sent[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(sent[1]).toBe(sent[0]);
});

test("one's own row offers the name alone; what did not change is not sent", async () => {
  const server = signedIn("admin").on(`PATCH ${users}/id-dana`, ({ body }) => ({
    body: { user: person("dana", body as object) },
  }));
  const user = open(people);
  const own = await row("dana@.*you");
  expect(within(own).getAllByRole("button").map((b) => b.textContent)).toEqual([
    "Edit dana@clearwater.example …",
  ]);
  await press(user, /^Edit/, own);
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).queryByRole("radio")).toBeNull();
  const name = within(dialog).getByLabelText("Name");
  await user.clear(name);
  await press(user, "Save", dialog);
  expect(within(dialog).getByText("Enter a name.")).toBeTruthy();
  await user.type(name, "Dana Ortiz");
  await press(user, "Save", dialog);
  expect(await screen.findByText(/^Dana Ortiz is saved/)).toBeTruthy();
  expect(server.calls(`PATCH ${users}/id-dana`).map((call) => call.body)).toEqual([
    { display_name: "Dana Ortiz" },
  ]);
});

test("the last admin's role stays, and the dialog says why", async () => {
  signedIn("admin").on(
    `PATCH ${users}/id-kim`,
    problem(409, "This is the last active admin; make somebody else an admin first."),
  );
  const user = open(people);
  await press(user, /^Edit/, await row("Kim Reyes"));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("radio", { name: /^Admin/ }));
  await press(user, "Save", dialog);
  expect((await within(dialog).findByRole("alert")).textContent).toContain("last active admin");
});

test("disabling is asked about, the safe answer first; enabling, too", async () => {
  let status: "active" | "disabled" = "active";
  const server = signedIn("admin")
    .on(`GET ${users}`, () => ({
      body: { users: [person("kim", { status })], total: 1, next_cursor: null },
    }))
    .on(`PATCH ${users}/id-kim`, ({ body }) => {
      ({ status } = body as { status: typeof status });
      return { body: { user: person("kim", { status }) } };
    });
  const user = open(people);
  await press(user, /^Disable/, await row("kim@"));
  expect(document.activeElement?.textContent).toBe("Keep them");
  expect(server.calls(`PATCH ${users}/id-kim`)).toHaveLength(0);
  await press(user, "Disable", screen.getByRole("dialog"));
  const enable = await screen.findByRole("button", { name: /^Enable kim/ });
  expect(screen.queryByRole("button", { name: /^Reset password/ })).toBeNull();
  await user.click(enable);
  await press(user, "Enable", screen.getByRole("dialog"));
  expect(await screen.findByRole("button", { name: /^Disable kim/ })).toBeTruthy();
  expect(server.calls(`PATCH ${users}/id-kim`).map((call) => call.body)).toEqual([
    { status: "disabled" },
    { status: "active" },
  ]);
});

test("who is locked or invited is seen as such", async () => {
  signedIn("admin").on(`GET ${users}`, {
    body: {
      users: [
        person("kim", { locked_until: "2999-01-01T10:00:00Z" }),
        person("lee", { status: "invited", last_sign_in_at: null }),
      ],
      total: 2,
      next_cursor: null,
    },
  });
  open(people);
  expect(within(await row("kim@")).getByText(/^Locked until \d/)).toBeTruthy();
  const invited = await row("lee@");
  expect(within(invited).getByText("Invited")).toBeTruthy();
  expect(within(invited).getByText("never")).toBeTruthy();
  expect(within(invited).getByRole("button", { name: /^New link/ })).toBeTruthy();
});

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

test("keys: what ends soon stands out, what is over offers nothing, somebody else's cannot be rotated", async () => {
  const list = [
    apiKey("fresh"),
    apiKey("late", { expires_at: inDays(5) }),
    apiKey("old", { expires_at: inDays(6), replaced_by: "id-fresh" }),
    apiKey("gone", { status: "revoked", revoked_at: inDays(-1) }),
    apiKey("over", { status: "expired", expires_at: inDays(-3) }),
    apiKey("hers", { acts_as: "kim@clearwater.example", scopes: ["read", "decide"] }),
    apiKey("mine", { acts_as: "dana@clearwater.example" }),
  ];
  signedIn("admin").on(`GET ${keys}`, { body: { keys: list, total: 7, next_cursor: null } });
  open(`${people}&view=keys`);
  const badge = async (name: string) => (await row(`^${name}`)).querySelector(".cell-status")!.textContent;
  expect(await badge("fresh")).toBe("Active");
  expect(await badge("late")).toBe("ActiveEnds in 5 days");
  expect(await badge("old")).toBe("ActiveReplaced");
  expect(await badge("gone")).toBe("Revoked");
  expect(await badge("over")).toBe("Expired");
  const offered = async (name: string) =>
    within(await row(`^${name}`)).queryAllByRole("button").map((b) => b.textContent!.split(" ")[0]);
  expect(await offered("fresh")).toEqual(["Rotate", "Revoke"]);
  expect(await offered("old")).toEqual(["Revoke"]);
  expect(await offered("gone")).toEqual([]);
  expect(await offered("hers")).toEqual(["Revoke"]);
  expect(await offered("mine")).toEqual(["Rotate", "Revoke"]);
  expect(within(await row("^hers")).getByText("Read, Decide")).toBeTruthy();
  expect(within(await row("^mine")).getByText("you")).toBeTruthy();
});

test("a new key: bounds are said beside the fields, the key is shown once", async () => {
  const server = signedIn("admin").on(`POST ${keys}`, {
    status: 201,
    body: { api_key: secret, key: apiKey("report", { scopes: ["read", "decide"] }) },
  });
  const user = open(`${people}&view=keys`);
  await user.click(await screen.findByRole("button", { name: /^New key/ }));
  const dialog = await screen.findByRole("dialog", { name: "New key" });
  await user.click(within(dialog).getByRole("checkbox", { name: /^Read/ }));
  const days = within(dialog).getByLabelText("Days it is valid");
  await user.clear(days);
  await user.type(days, "400");
  await press(user, "Make the key", dialog);
  expect(within(dialog).getByText("Say what it is for.")).toBeTruthy();
  expect(within(dialog).getByText("Choose at least one.")).toBeTruthy();
  expect(within(dialog).getByText("Use a whole number from 1 to 365.")).toBeTruthy();
  expect(server.calls(`POST ${keys}`)).toHaveLength(0);
  await user.type(within(dialog).getByLabelText("Name"), "report");
  await user.click(within(dialog).getByRole("checkbox", { name: /^Decide/ }));
  await user.click(within(dialog).getByRole("checkbox", { name: /^Read/ }));
  await user.click(within(dialog).getByRole("checkbox", { name: /^Acts as me/ }));
  await user.clear(days);
  await user.type(days, "30");
  await press(user, "Make the key", dialog);
  const made = await screen.findByRole("dialog", { name: "Key report" });
  expect(within(made).getByLabelText<HTMLTextAreaElement>(/shown only now/).value).toBe(secret);
  expect(within(made).getByText(/It may read and decide/)).toBeTruthy();
  expect(server.calls(`POST ${keys}`)[0]!.body).toEqual({
    name: "report",
    scopes: ["read", "decide"],
    expires_in_days: 30,
    acts_as_me: true,
  });
});

test("rotating gives the new key and says how long the old one works; revoking is final and asked about", async () => {
  const server = signedIn("admin")
    .on(`POST ${keys}/id-nightly/rotate`, {
      status: 201,
      body: {
        api_key: secret,
        key: apiKey("nightly", { prefix: "fwk_new" }),
        previous: apiKey("nightly", { expires_at: "2026-11-23T10:00:00Z", replaced_by: "x" }),
      },
    })
    .on(`POST ${keys}/id-nightly/revoke`, {
      body: { status: "revoked", key: apiKey("nightly", { status: "revoked" }) },
    });
  const user = open(`${people}&view=keys`);
  await press(user, /^Rotate/, await row("^nightly"));
  const rotate = await screen.findByRole("dialog", { name: "Rotate nightly" });
  await user.selectOptions(within(rotate).getByLabelText(/old key goes on/), "One day");
  await press(user, "Make the new key", rotate);
  const made = await screen.findByRole("dialog", { name: "Key nightly" });
  expect(made.textContent).toContain("The old key (fwk_nightly…) works until");
  expect(server.calls(`POST ${keys}/id-nightly/rotate`)[0]!.body).toEqual({
    expires_in_days: 90,
    overlap_hours: 24,
  });
  await press(user, "Done", made);
  await press(user, "Close without copying", made);

  await press(user, /^Revoke/, await row("^nightly"));
  expect(document.activeElement?.textContent).toBe("Keep it");
  await press(user, "Revoke for good", screen.getByRole("dialog"));
  expect(await screen.findByText(/is revoked\.$/)).toBeTruthy();
});

test("one's own password: checked here, refused by the server beside its field, then changed", async () => {
  const call = "POST /api/partner-auth/change-password";
  const server = signedIn("viewer").on(call, ({ body }) =>
    (body as { current_password: string }).current_password === "right"
      ? { body: { status: "password_set" } }
      : problem(422, "No.", { errors: [{ pointer: "/current_password", detail: "is not your current password" }] }),
  );
  const user = open("/");
  await user.click(await screen.findByRole("button", { name: "Change password" }));
  const dialog = await screen.findByRole("dialog", { name: "Change your password" });
  const current = within(dialog).getByLabelText("Current password");
  const next = within(dialog).getByLabelText<HTMLInputElement>("New password");
  await user.type(current, "wrong");
  await user.type(next, "too short");
  await press(user, "Change the password", dialog);
  expect(within(dialog).getByText(/Use at least 12 characters; these are 9/)).toBeTruthy();
  await user.clear(next);
  await user.type(next, "Dana@clearwater.example");
  await press(user, "Change the password", dialog);
  expect(within(dialog).getByText("Use something else than the address.")).toBeTruthy();
  expect(server.calls(call)).toHaveLength(0);
  await user.clear(next);
  await user.type(next, "correct horse battery");
  // From within the field that is left when the server's answer moves the focus to the other one.
  fireEvent.submit(next.form!);
  expect(await within(dialog).findByText("This is not your current password.")).toBeTruthy();
  expect(document.activeElement).toBe(current);
  await press(user, "Show the new password", dialog);
  expect(next.type).toBe("text");
  await user.clear(current);
  await user.type(current, "right");
  await press(user, "Change the password", dialog);
  expect(await screen.findByText(/Your password is changed/)).toBeTruthy();
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(server.calls(call).at(-1)!.body).toEqual({
    current_password: "right",
    new_password: "correct horse battery",
  });
});

const setCall = "POST /api/partner-auth/password";
const signedOut = () => new Server().on("GET /api/partner-auth/me", problem(401, "Sign in first."));

test("a password link: the token leaves the address at once; then the password, then the sign-in", async () => {
  const server = signedOut().on(setCall, { body: { status: "password_set", email: "kim@clearwater.example" } });
  const user = open(`/?tab=sites#set-password=${token}`);
  const input = await screen.findByLabelText("New password");
  expect(window.location.hash).toBe("");
  expect(window.location.search).toBe("?tab=sites");
  await user.type(input, "short{Enter}");
  expect(screen.getByText(/Use at least 12 characters/)).toBeTruthy();
  expect(server.calls(setCall)).toHaveLength(0);
  await user.type(input, " and then longer{Enter}");
  expect(await screen.findByText("Your password is set. Sign in with it.")).toBeTruthy();
  expect(screen.getByLabelText<HTMLInputElement>("Email").value).toBe("kim@clearwater.example");
  expect(server.calls(setCall)[0]!.body).toEqual({ token, password: "short and then longer" });
});

test("a link that was used or is cut off says so and where to get another", async () => {
  signedOut().on(
    setCall,
    problem(422, "No.", { errors: [{ pointer: "/token", detail: "is unknown, used or expired; ask an admin for a new link" }] }),
  );
  const user = open(`/#set-password=${token}`);
  await user.type(await screen.findByLabelText("New password"), "correct horse battery{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain("It was used before, has run out");
  await user.click(screen.getByRole("button", { name: "To the sign-in" }));
  expect(await screen.findByRole("heading", { name: "Sign in to Flywheel" })).toBeTruthy();
  window.location.hash = "#set-password=";
  act(() => void window.dispatchEvent(new HashChangeEvent("hashchange")));
  expect(await screen.findByRole("heading", { name: "This link does not work" })).toBeTruthy();
});

test("a link opened while somebody else is signed in leaves that session alone and says so", async () => {
  signedIn("admin").on(setCall, { body: { status: "password_set", email: "kim@clearwater.example" } });
  const user = open(`/#set-password=${token}`);
  await user.type(await screen.findByLabelText("New password"), "correct horse battery{Enter}");
  expect(await screen.findByText(/You are still signed in as dana@/)).toBeTruthy();
  expect(await screen.findByRole("link", { name: "Learning" })).toBeTruthy();
});

test("a locked address is said with the time that is left, and the time runs", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  try {
    signedOut().on("POST /api/partner-auth/login", {
      ...problem(429, "Too many.", { type: "urn:flywheel:problem:sign-in-locked" }),
      headers: { "Retry-After": "62" },
    });
    open("/");
    fireEvent.change(await screen.findByLabelText("Email"), { target: { value: "kim@clearwater.example" } });
    fireEvent.change(screen.getByLabelText("Password"), { target: { value: "whatever it is" } });
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect((await screen.findByRole("alert")).textContent).toContain("locked");
    const timer = screen.getByRole("timer");
    expect(timer.textContent).toMatch(/Try again in 1 min [12] s\./);
    await act(() => vi.advanceTimersByTimeAsync(10_000));
    expect(timer.textContent).toMatch(/Try again in 5\d s\./);
    await act(() => vi.advanceTimersByTimeAsync(60_000));
    expect(timer.textContent).toBe("You can try again now.");
  } finally {
    vi.useRealTimers();
  }
});

test("the log can be narrowed to people, keys and sign-ins, and says who it was about", async () => {
  const server = signedIn("admin").on(`GET ${learning}/audit`, {
    body: {
      entries: [
        auditEntry("2", "user.invited", { after: { email: "kim@clearwater.example", role: "viewer" } }),
        auditEntry("1", "user.signed_in", { after: { email: "dana@clearwater.example" } }),
      ],
      total: 2,
      next_cursor: null,
    },
  });
  const user = open("/?tab=activity&about=nonsense");
  await screen.findByText("Invited");
  expect(server.calls(`GET ${learning}/audit`)[0]!.query.get("about")).toBeNull();
  const [first, second] = [...document.querySelectorAll(".log-entry p:first-child")];
  expect(first!.textContent).toBe("Invited kim@clearwater.example");
  expect(second!.textContent).toBe("Signed in");
  await user.selectOptions(screen.getByLabelText("About"), "People, keys and sign-ins");
  await waitFor(() =>
    expect(server.calls(`GET ${learning}/audit`).at(-1)!.query.get("about")).toBe("access"),
  );
  expect(window.location.search).toContain("about=access");
});
