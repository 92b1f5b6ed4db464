import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { ApiError } from "../api/http";
import { signIn } from "../api/session";
import type { Session } from "../api/types";
import { Field } from "../ui/Field";
import { Logo } from "../ui/icons";
import { Notice } from "../ui/Notice";

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

  const error = attempt.error instanceof ApiError ? attempt.error : null;
  const wait = error?.status === 429 && error.retryAfter ? ` (${error.retryAfter} s)` : "";
  return (
    <form className="sign-in-form" onSubmit={submit} noValidate>
      {attempt.error && (
        <Notice tone="bad" announce>
          {attempt.error.message}
          {wait}
        </Notice>
      )}
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

export function SignInPage({ onSignedIn }: Pick<FormProps, "onSignedIn">) {
  useEffect(() => {
    document.title = "Sign in · Flywheel";
  }, []);
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Logo />
        <h1>Sign in to Flywheel</h1>
        <p className="muted">What has worked becomes a rule that runs by itself.</p>
        <SignInForm onSignedIn={onSignedIn} />
      </div>
    </main>
  );
}
