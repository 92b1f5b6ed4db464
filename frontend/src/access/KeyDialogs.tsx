import { useRef, useState, type RefObject } from "react";
import { createKey, revokeKey, rotateKey, type NewKey, type Rotation } from "../api/access";
import { ApiError } from "../api/http";
import type { ApiKey, NewKeyAnswer, Scope } from "../api/types";
import { checkDays, checkName } from "../lib/checks";
import { useSession } from "../session/context";
import { Choices } from "../ui/Choices";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { Field } from "../ui/Field";
import { FormDialog } from "../ui/FormDialog";
import { Notice } from "../ui/Notice";
import { OnceDialog } from "../ui/OnceDialog";
import { Time } from "../ui/Time";
import { useToast } from "../ui/Toasts";
import { useChange } from "./useChange";
import { scopes, scopeWords } from "./words";

interface MadeProps {
  onMade: (answer: NewKeyAnswer) => void;
  onClose: () => void;
}

type Problems = { name?: string | null; scopes?: string | null; days?: string | null };

export function CreateKeyDialog({ onMade, onClose }: MadeProps) {
  const { email } = useSession().user;
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<Scope[]>(["read"]);
  const [days, setDays] = useState("90");
  const [actsAsMe, setActsAsMe] = useState(false);
  const [problems, setProblems] = useState<Problems>({});
  const nameInput = useRef<HTMLInputElement>(null);
  const daysInput = useRef<HTMLInputElement>(null);
  const show = (found: Problems) => {
    setProblems(found);
    if (found.name) nameInput.current?.focus();
    else if (found.days) daysInput.current?.focus();
    return Boolean(found.name || found.scopes || found.days);
  };
  const work = useChange<NewKey, NewKeyAnswer>(createKey, onMade, (error) => {
    if (!(error instanceof ApiError)) return;
    show({
      name: error.fieldError("/name"),
      scopes: error.fieldError("/scopes"),
      days: error.fieldError("/expires_in_days"),
    });
  });
  const submit = () => {
    const found: Problems = {
      name: name.trim() === "" ? "Say what it is for." : checkName(name),
      scopes: chosen.length === 0 ? "Choose at least one." : null,
      days: checkDays(days),
    };
    if (show(found)) return;
    work.mutate({
      name: name.trim(),
      scopes: chosen,
      expires_in_days: Number(days),
      acts_as_me: actsAsMe,
    });
  };

  return (
    <FormDialog
      title="New key"
      act="Make the key"
      acting="Making it …"
      work={work}
      explained={Object.values(problems).some(Boolean)}
      focusFirst={nameInput}
      onSubmit={submit}
      onClose={onClose}
    >
      <Field label="Name" error={problems.name ?? null} hint="What uses it, such as nightly-report.">
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
        legend="What it may do"
        kind="checkbox"
        choices={scopes}
        chosen={chosen}
        error={problems.scopes ?? null}
        onChange={(to) => {
          setChosen(to);
          setProblems((all) => ({ ...all, scopes: null }));
        }}
      />
      <DaysField
        value={days}
        error={problems.days ?? null}
        input={daysInput}
        onChange={(to) => {
          setDays(to);
          setProblems((all) => ({ ...all, days: null }));
        }}
      />
      <label className="tick">
        <input
          type="checkbox"
          checked={actsAsMe}
          onChange={(event) => setActsAsMe(event.target.checked)}
        />
        <span>
          Acts as me
          <span className="field-line">
            What it does counts as done by {email} and is logged so, within your role, as long as you
            are active here. Otherwise it acts for the organisation and never counts as a second person.
          </span>
        </span>
      </label>
    </FormDialog>
  );
}

interface DaysProps {
  value: string;
  error: string | null;
  input: RefObject<HTMLInputElement | null>;
  onChange: (days: string) => void;
}

function DaysField({ value, error, input, onChange }: DaysProps) {
  return (
    <Field label="Days it is valid" error={error} hint="At most 365. It can be rotated before it ends.">
      {(control) => (
        <input
          {...control}
          ref={input}
          type="text"
          inputMode="numeric"
          autoComplete="off"
          className="short"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

interface OfKey {
  of: ApiKey;
  onClose: () => void;
}

const overlaps = [
  { hours: 0, label: "Not at all: it ends at once" },
  { hours: 24, label: "One day" },
  { hours: 168, label: "One week" },
  { hours: 720, label: "30 days" },
];

/** A successor with the same rights, and time to put it in place. */
export function RotateKeyDialog({ of, onMade, onClose }: OfKey & MadeProps) {
  const [days, setDays] = useState("90");
  const [hours, setHours] = useState(168);
  const [problem, setProblem] = useState<string | null>(null);
  const daysInput = useRef<HTMLInputElement>(null);
  const overlapSelect = useRef<HTMLSelectElement>(null);
  const work = useChange<Rotation, NewKeyAnswer>(
    (body, key) => rotateKey(of.id, body, key),
    onMade,
    (error) => {
      if (error instanceof ApiError) setProblem(error.fieldError("/expires_in_days"));
    },
  );
  const submit = () => {
    const found = checkDays(days);
    setProblem(found);
    if (found) daysInput.current?.focus();
    else work.mutate({ expires_in_days: Number(days), overlap_hours: hours });
  };
  return (
    <FormDialog
      title={`Rotate ${of.name}`}
      act="Make the new key"
      acting="Making it …"
      work={work}
      explained={problem !== null}
      focusFirst={overlapSelect}
      onSubmit={submit}
      onClose={onClose}
    >
      <p>
        A new key with the same name and rights takes the place of <span className="mono">{of.prefix}…</span>
      </p>
      <Field
        label="The old key goes on working for"
        hint="Both work meanwhile: put the new one in place, then the old one ends by itself."
      >
        {(control) => (
          <select
            {...control}
            ref={overlapSelect}
            value={hours}
            onChange={(event) => setHours(Number(event.target.value))}
          >
            {overlaps.map((one) => (
              <option key={one.hours} value={one.hours}>
                {one.label}
              </option>
            ))}
          </select>
        )}
      </Field>
      <DaysField
        value={days}
        error={problem}
        input={daysInput}
        onChange={(to) => {
          setDays(to);
          setProblem(null);
        }}
      />
    </FormDialog>
  );
}

export function RevokeKeyDialog({ of, onClose }: OfKey) {
  const toast = useToast();
  const work = useChange<void, { key: ApiKey }>(
    (_body, key) => revokeKey(of.id, key),
    () => {
      toast({ tone: "good", text: `Key ${of.name} (${of.prefix}…) is revoked.` });
      onClose();
    },
  );
  return (
    <ConfirmDialog
      title="Revoke this key?"
      keep="Keep it"
      act="Revoke for good"
      acting="Revoking …"
      work={work}
      onClose={onClose}
    >
      <p>
        Whatever uses <strong>{of.name}</strong> (<span className="mono">{of.prefix}…</span>) is refused
        from now on, and it cannot be undone.{" "}
        {of.last_used_at ? (
          <>
            It was last used <Time value={of.last_used_at} />.
          </>
        ) : (
          "It has never been used."
        )}
      </p>
    </ConfirmDialog>
  );
}

/** The key itself, shown once, and what to do with it. */
export function NewKeyDialog({ answer, onClose }: { answer: NewKeyAnswer; onClose: () => void }) {
  const { api_key: secret, key, previous } = answer;
  const goesOn = previous && previous.status === "active";
  return (
    <OnceDialog title={`Key ${key.name}`} what="key" secret={secret} onClose={onClose}>
      <ol className="steps">
        <li>
          Put it where the program keeps its secrets; it sends it as the header{" "}
          <span className="mono">X-API-Key</span>.
        </li>
        <li>
          It may {key.scopes.map((s) => (scopeWords[s] ?? s).toLowerCase()).join(" and ")}, until{" "}
          <Time value={key.expires_at} />.
        </li>
        {goesOn && (
          <li>
            The old key (<span className="mono">{previous.prefix}…</span>) works until{" "}
            <Time value={previous.expires_at} />.
          </li>
        )}
        {previous && !goesOn && (
          <li>
            The old key (<span className="mono">{previous.prefix}…</span>) does not work any more.
          </li>
        )}
      </ol>
      <Notice tone="info">Only its first characters are shown from now on. When it is lost, rotate it.</Notice>
    </OnceDialog>
  );
}
