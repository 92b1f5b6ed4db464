import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { ApiError } from "../api/http";
import { changePassword } from "../api/session";
import { checkPassword, shortestPassword } from "../lib/checks";
import { FormDialog } from "../ui/FormDialog";
import { PasswordField } from "../ui/PasswordField";
import { useToast } from "../ui/Toasts";
import { useSession } from "./context";

type Problems = { current?: string | null; next?: string | null };

/** For anybody who is signed in. The session here goes on; those elsewhere end. */
export function ChangePasswordDialog({ onClose }: { onClose: () => void }) {
  const { email } = useSession().user;
  const toast = useToast();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [problems, setProblems] = useState<Problems>({});
  const currentInput = useRef<HTMLInputElement>(null);
  const nextInput = useRef<HTMLInputElement>(null);

  const show = (found: Problems) => {
    setProblems(found);
    if (found.current) currentInput.current?.focus();
    else if (found.next) nextInput.current?.focus();
    return Boolean(found.current || found.next);
  };
  const work = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess: () => {
      toast({ tone: "good", text: "Your password is changed. You are signed out everywhere else." });
      onClose();
    },
    onError: (error) => {
      if (!(error instanceof ApiError)) return;
      show({
        current: error.fieldError("/current_password"),
        next: error.fieldError("/new_password"),
      });
    },
  });
  const submit = () => {
    const found = {
      current: current === "" ? "Enter the password you have now." : null,
      next: checkPassword(next, email),
    };
    if (!show(found)) work.mutate();
  };

  return (
    <FormDialog
      title="Change your password"
      act="Change the password"
      acting="Changing …"
      work={work}
      explained={Boolean(problems.current || problems.next)}
      focusFirst={currentInput}
      onSubmit={submit}
      onClose={onClose}
    >
      {/* For password managers: whose password it is. */}
      <input type="email" autoComplete="username" value={email} readOnly hidden />
      <PasswordField
        label="Current password"
        error={problems.current ?? null}
        autoComplete="current-password"
        value={current}
        input={currentInput}
        onChange={(to) => {
          setCurrent(to);
          setProblems((all) => ({ ...all, current: null }));
        }}
      />
      <PasswordField
        label="New password"
        hint={`At least ${shortestPassword} characters.`}
        error={problems.next ?? null}
        autoComplete="new-password"
        value={next}
        input={nextInput}
        onChange={(to) => {
          setNext(to);
          setProblems((all) => ({ ...all, next: null }));
        }}
        onBlur={() => {
          const found = next === "" ? null : checkPassword(next, email);
          if (found) setProblems((all) => ({ ...all, next: found }));
        }}
      />
    </FormDialog>
  );
}
