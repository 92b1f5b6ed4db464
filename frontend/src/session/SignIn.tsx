import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { ApiError } from "../api/http";
import { signIn } from "../api/session";
import type { Session } from "../api/types";
import { Field } from "../ui/Field";
import { Logo } from "../ui/icons";
import { Notice } from "../ui/Notice";
import { Wait } from "./Wait";

interface FormProps {
  onSignedIn: (session: Session) => void;
  /** Filled in already, for somebody whose session ended. */
  email?: string;
}

export function SignInForm({ onSignedIn, email: known = "" }: FormProps) {
  const [email, setEmail] = useState(known);
  const [password, setPassword] = useState("");
  const [missing, setMissing] = useState<{ email?: string; password?: string }>({});
  const emailInput = useRef<HTMLInputElement>(null);
  const passwordInput = useRef<HTMLInputElement>(null);
  const attempt = useMutation({
    mutationFn: () => signIn(email.trim(), password),
    onSuccess: onSignedIn,
    onError: () => {
      setPassword("");
      passwordInput.current?.focus();
    },
  });

  useEffect(() => {
    (known ? passwordInput : emailInput).current?.focus();
  }, [known]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (attempt.isPending) return;
    const found = {
      ...(email.trim() ? {} : { email: "Enter your email address." }),
      ...(password ? {} : { password: "Enter your password." }),
    };
    setMissing(found);
    if (found.email) emailInput.current?.focus();
    else if (found.password) passwordInput.current?.focus();
    else attempt.mutate();
  };

  return (
    <form className="sign-in-form" onSubmit={submit} noValidate>
      {attempt.error && <Refusal error={attempt.error} at={attempt.submittedAt} />}
      <Field label="Email" error={missing.email ?? null}>
        {(control) => (
          <input
            {...control}
            ref={emailInput}
            type="email"
            name="email"
            autoComplete="username"
            value={email}
            onChange={(e) => {
              setEmail(e.target.value);
              setMissing({});
            }}
          />
        )}
      </Field>
      <Field label="Password" error={missing.password ?? null}>
        {(control) => (
          <input
            {...control}
            ref={passwordInput}
            type="password"
            name="password"
            autoComplete="current-password"
            value={password}
            onChange={(e) => {
              setPassword(e.target.value);
              setMissing({});
            }}
          />
        )}
      </Field>
      <button type="submit" className="button button-primary" aria-disabled={attempt.isPending}>
        {attempt.isPending ? "Signing in …" : "Sign in"}
      </button>
    </form>
  );
}

/** Why not, and for how long. The time runs beside the message, so that it is not read out each second. */
function Refusal({ error, at }: { error: Error; at: number }) {
  const known = error instanceof ApiError ? error : null;
  const locked = known?.isProblem("sign-in-locked") ?? false;
  const wait = known?.status === 429 ? known.retryAfter : null;
  return (
    <>
      <Notice key={at} tone="bad" announce>
        {locked
          ? "Too many sign-ins with this address have failed. For a while it is locked, even for the right password."
          : error.message}
      </Notice>
      {wait !== null && <Wait key={`wait-${at}`} seconds={wait} />}
      {locked && (
        <p className="muted sign-in-hint">
          In a hurry? A new password link from an admin of your organisation unlocks it.
        </p>
      )}
    </>
  );
}

interface PageProps extends Pick<FormProps, "onSignedIn"> {
  /** Whose password has just been set. */
  passwordSetFor: string | null;
}

export function SignInPage({ onSignedIn, passwordSetFor }: PageProps) {
  useEffect(() => {
    document.title = "Sign in · Flywheel";
  }, []);
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Logo />
        <h1>Sign in to Flywheel</h1>
        {passwordSetFor === null ? (
          <p className="muted">What has worked becomes a rule that runs by itself.</p>
        ) : (
          <Notice tone="good" announce>
            Your password is set. Sign in with it.
          </Notice>
        )}
        <SignInForm onSignedIn={onSignedIn} email={passwordSetFor ?? ""} />
      </div>
    </main>
  );
}
