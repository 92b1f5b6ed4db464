import { useRef, useState } from "react";
import { changePerson, invitePerson, makePasswordLink, type Invitation, type PersonChange } from "../api/access";
import { ApiError } from "../api/http";
import type { LinkAnswer, Person, Role } from "../api/types";
import { checkEmail, checkName } from "../lib/checks";
import { passwordLink } from "../lib/passwordLink";
import { Choices } from "../ui/Choices";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { Field } from "../ui/Field";
import { FormDialog } from "../ui/FormDialog";
import { Notice } from "../ui/Notice";
import { OnceDialog } from "../ui/OnceDialog";
import { Time } from "../ui/Time";
import { useToast } from "../ui/Toasts";
import { useChange } from "./useChange";
import { roles, roleWords } from "./words";

interface OfPerson {
  person: Person;
  onClose: () => void;
}

interface InviteProps {
  onInvited: (answer: LinkAnswer) => void;
  onClose: () => void;
}

export function InviteDialog({ onInvited, onClose }: InviteProps) {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [problems, setProblems] = useState<{ email?: string | null; name?: string | null }>({});
  const emailInput = useRef<HTMLInputElement>(null);
  const nameInput = useRef<HTMLInputElement>(null);
  const show = (found: typeof problems) => {
    setProblems(found);
    if (found.email) emailInput.current?.focus();
    else if (found.name) nameInput.current?.focus();
    return Boolean(found.email || found.name);
  };
  const work = useChange<Invitation, LinkAnswer>(invitePerson, onInvited, (error) => {
    if (!(error instanceof ApiError)) return;
    const taken = error.isProblem("address-taken") ? error.message : null;
    show({
      email: taken ?? error.fieldError("/email"),
      name: error.fieldError("/display_name"),
    });
  });
  const submit = () => {
    if (show({ email: checkEmail(email), name: checkName(name) })) return;
    const typed = name.trim();
    work.mutate({ email: email.trim(), role, ...(typed ? { display_name: typed } : {}) });
  };

  return (
    <FormDialog
      title="Invite somebody"
      act="Make the invitation"
      acting="Making it …"
      work={work}
      explained={Boolean(problems.email || problems.name)}
      focusFirst={emailInput}
      onSubmit={submit}
      onClose={onClose}
    >
      <Field
        label="Email"
        error={problems.email ?? null}
        hint="What they sign in with. Nothing is sent there: you get a link to pass on."
      >
        {(control) => (
          <input
            {...control}
            ref={emailInput}
            type="email"
            autoComplete="off"
            value={email}
            onChange={(event) => {
              setEmail(event.target.value);
              setProblems((all) => ({ ...all, email: null }));
            }}
            onBlur={() => {
              // Only ever adds: what the server has said stays until the address changes.
              const found = email === "" ? null : checkEmail(email);
              if (found) setProblems((all) => ({ ...all, email: found }));
            }}
          />
        )}
      </Field>
      <Field label="Name" optional error={problems.name ?? null} hint="How others see them in lists.">
        {(control) => (
          <input
            {...control}
            ref={nameInput}
            type="text"
            autoComplete="off"
            value={name}
            onChange={(event) => {
              setName(event.target.value);
              setProblems((all) => ({ ...all, name: null }));
            }}
          />
        )}
      </Field>
      <Choices
        legend="Role"
        kind="radio"
        choices={roles}
        chosen={[role]}
        onChange={([to]) => to && setRole(to)}
      />
    </FormDialog>
  );
}

interface EditProps extends OfPerson {
  isSelf: boolean;
}

export function EditPersonDialog({ person, isSelf, onClose }: EditProps) {
  const toast = useToast();
  const [name, setName] = useState(person.display_name);
  const [role, setRole] = useState<Role>(person.role);
  const [problem, setProblem] = useState<string | null>(null);
  const nameInput = useRef<HTMLInputElement>(null);
  const work = useChange<PersonChange, { user: Person }>(
    (body, key) => changePerson(person.id, body, key),
    ({ user }) => {
      toast({ tone: "good", text: `${user.display_name} is saved: ${roleWords[user.role] ?? user.role}.` });
      onClose();
    },
    (error) => {
      if (error instanceof ApiError) setProblem(error.fieldError("/display_name"));
    },
  );
  const submit = () => {
    const found = name.trim() === "" ? "Enter a name." : checkName(name);
    setProblem(found);
    if (found) {
      nameInput.current?.focus();
      return;
    }
    const change: PersonChange = {
      ...(name.trim() === person.display_name ? {} : { display_name: name.trim() }),
      ...(role === person.role ? {} : { role }),
    };
    if (Object.keys(change).length === 0) onClose();
    else work.mutate(change);
  };
  return (
    <FormDialog
      title={`Edit ${person.email}`}
      act="Save"
      acting="Saving …"
      work={work}
      explained={problem !== null}
      focusFirst={nameInput}
      onSubmit={submit}
      onClose={onClose}
    >
      <Field label="Name" error={problem} hint="How others see them in lists.">
        {(control) => (
          <input
            {...control}
            ref={nameInput}
            type="text"
            autoComplete="off"
            value={name}
            onChange={(event) => {
              setName(event.target.value);
              setProblem(null);
            }}
          />
        )}
      </Field>
      {isSelf ? (
        <p className="muted">
          You are {roleWords[role]}. Only another admin can change your role or disable you.
        </p>
      ) : (
        <Choices
          legend="Role"
          kind="radio"
          choices={roles}
          chosen={[role]}
          onChange={([to]) => to && setRole(to)}
        />
      )}
    </FormDialog>
  );
}

/** Disabling, or enabling again. */
export function StatusDialog({ person, onClose }: OfPerson) {
  const toast = useToast();
  const enable = person.status === "disabled";
  const work = useChange<void, { user: Person }>(
    (_body, key) => changePerson(person.id, { status: enable ? "active" : "disabled" }, key),
    () => {
      toast({ tone: "good", text: `${person.display_name} is ${enable ? "enabled" : "disabled"}.` });
      onClose();
    },
  );
  return enable ? (
    <ConfirmDialog
      title={`Enable ${person.email}?`}
      keep="Keep them out"
      act="Enable"
      acting="Enabling …"
      harmless
      work={work}
      onClose={onClose}
    >
      <p>
        <strong>{person.display_name}</strong> can sign in again with the password of before, as{" "}
        {(roleWords[person.role] ?? person.role).toLowerCase()}, and keys that act as them work again.
      </p>
    </ConfirmDialog>
  ) : (
    <ConfirmDialog
      title={`Disable ${person.email}?`}
      keep="Keep them"
      act="Disable"
      acting="Disabling …"
      work={work}
      onClose={onClose}
    >
      <p>
        <strong>{person.display_name}</strong> is signed out everywhere at once and cannot sign in any more;
        keys that act as them stop working. What they decided stays as it is. They can be enabled again.
      </p>
    </ConfirmDialog>
  );
}

interface NewLinkProps extends OfPerson {
  onMade: (answer: LinkAnswer) => void;
}

export function NewLinkDialog({ person, onMade, onClose }: NewLinkProps) {
  const invited = person.status === "invited";
  const work = useChange<void, LinkAnswer>(
    (_body, key) => makePasswordLink(person.id, key),
    onMade,
  );
  return (
    <ConfirmDialog
      title={invited ? `A new link for ${person.email}?` : `Reset the password of ${person.email}?`}
      keep="Cancel"
      act="Make a link"
      acting="Making it …"
      harmless
      work={work}
      onClose={onClose}
    >
      <p>
        You get a link for <strong>{person.display_name}</strong> to set a password with. Links made before
        stop working{person.locked_until ? ", and the lock on the address is lifted" : ""}.
      </p>
      {!invited && (
        <p>
          Nothing changes for them until they use it: then the old password is gone and they are signed
          out everywhere.
        </p>
      )}
    </ConfirmDialog>
  );
}

/** The link, shown once, and what to do with it. */
export function LinkDialog({ answer, onClose }: { answer: LinkAnswer; onClose: () => void }) {
  const { user, link } = answer;
  return (
    <OnceDialog
      title={`Password link for ${user.email}`}
      what="link"
      secret={passwordLink(link.token)}
      onClose={onClose}
    >
      <ol className="steps">
        <li>
          Pass it on to <strong>{user.display_name}</strong> yourself, by a way that only they read.
        </li>
        <li>
          They open it, choose a password, and sign in. It works once, until{" "}
          <Time value={link.expires_at} />.
        </li>
      </ol>
      <Notice tone="info">
        Whoever has the link can sign in as {user.email}. When it is lost or late, make a new one here:
        the old one stops working.
      </Notice>
    </OnceDialog>
  );
}
