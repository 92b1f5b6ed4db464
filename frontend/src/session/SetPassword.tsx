import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { ApiError } from "../api/http";
import { setPassword } from "../api/session";
import { checkPassword, shortestPassword } from "../lib/checks";
import { Logo } from "../ui/icons";
import { Notice } from "../ui/Notice";
import { PasswordField } from "../ui/PasswordField";

interface Props {
  token: string;
  onDone: (email: string) => void;
  /** To the sign-in without having set one. */
  onLeave: () => void;
}

/** Where the link of an invitation or a reset leads: one new password, then to the sign-in. */
export function SetPasswordPage({ token, onDone, onLeave }: Props) {
  const [password, setTyped] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const work = useMutation({
    mutationFn: () => setPassword(token, password),
    onSuccess: ({ email }) => onDone(email),
    onError: (error) => {
      setProblem(error instanceof ApiError ? error.fieldError("/password") : null);
      input.current?.focus();
    },
  });
  const deadLink = work.error instanceof ApiError ? work.error.fieldError("/token") : null;
  const useless = token === "" || deadLink !== null;
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = "Set a password · Flywheel";
    (useless ? heading : input).current?.focus();
  }, [useless]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (work.isPending) return;
    const found = checkPassword(password);
    setProblem(found);
    if (found) input.current?.focus();
    else work.mutate();
  };

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Logo />
        <h1 ref={heading} tabIndex={-1}>
          {useless ? "This link does not work" : "Set your password"}
        </h1>
        {useless ? (
          <>
            <p role="alert">
              {deadLink === null
                ? "Part of it is missing: it was cut off on its way to you."
                : "It was used before, has run out, or a newer one has taken its place."}{" "}
              Ask an admin of your organisation for a new one.
            </p>
            <p className="state-actions">
              <button type="button" className="button" onClick={onLeave}>
                To the sign-in
              </button>
            </p>
          </>
        ) : (
          <form className="sign-in-form" onSubmit={submit} noValidate>
            {work.error && !problem && (
              <Notice tone="bad" announce>
                {work.error.message}
              </Notice>
            )}
            <PasswordField
              label="New password"
              hint={`At least ${shortestPassword} characters. A few unrelated words are easy to keep in mind.`}
              error={problem}
              autoComplete="new-password"
              value={password}
              input={input}
              onChange={(to) => {
                setTyped(to);
                setProblem(null);
              }}
              onBlur={() => {
                const found = password === "" ? null : checkPassword(password);
                if (found) setProblem(found);
              }}
            />
            <button type="submit" className="button button-primary" aria-disabled={work.isPending}>
              {work.isPending ? "Setting it …" : "Set the password"}
            </button>
          </form>
        )}
      </div>
    </main>
  );
}
