import { useCallback, useState } from "react";
import { listPeople, peopleKey, type PageQuery } from "../api/access";
import type { LinkAnswer, Person } from "../api/types";
import { formatHour, parseTime } from "../lib/format";
import { pageSize, useList } from "../lib/lists";
import { usePages } from "../lib/pages";
import { useSearch } from "../lib/url";
import { useSession } from "../session/context";
import { Badge } from "../ui/Badge";
import { Icon } from "../ui/icons";
import { Refreshed, Section } from "../ui/ListBody";
import { PagedList } from "../ui/PagedList";
import { Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";
import { EditPersonDialog, InviteDialog, LinkDialog, NewLinkDialog, StatusDialog } from "./PersonDialogs";
import { roleWords } from "./words";

type OpenDialog =
  | { kind: "invite" }
  | { kind: "edit" | "status" | "newLink"; person: Person }
  | { kind: "link"; answer: LinkAnswer };

/** Who may sign in, as what, and when they last did. */
export function PeopleView() {
  useSearch();
  const pages = usePages();
  const self = useSession().user.email;
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const close = useCallback(() => setDialog(null), []);
  const query: PageQuery = { limit: pageSize, cursor: pages.cursor };
  const list = useList(peopleKey(query), (signal) => listPeople(query, signal));
  const handOver = (answer: LinkAnswer) => setDialog({ kind: "link", answer });

  return (
    <Section id="people" title="People" aside={<Refreshed query={list} />}>
      <div className="section-bar">
        <p className="muted">
          Everybody here sees all sites. What they may do besides follows from the role.
        </p>
        <button
          type="button"
          className="button button-primary"
          onClick={() => setDialog({ kind: "invite" })}
        >
          <Icon name="person" /> Invite somebody …
        </button>
      </div>
      <PagedList
        query={list}
        pages={pages}
        what="people"
        rows={(page) => page.users}
        expected={6}
        nothing={{ icon: "inbox", title: "Nobody yet", text: "Invite the first person." }}
      >
        {(people) => (
          <Table
            caption="People"
            columns={columnsFor(self, setDialog)}
            rows={people}
            rowKey={(p) => String(p.id)}
            rowClass={(p) => (p.status === "disabled" ? "row-off" : "")}
          />
        )}
      </PagedList>
      {dialog?.kind === "invite" && <InviteDialog onInvited={handOver} onClose={close} />}
      {dialog?.kind === "edit" && (
        <EditPersonDialog
          person={dialog.person}
          isSelf={dialog.person.email === self}
          onClose={close}
        />
      )}
      {dialog?.kind === "status" && <StatusDialog person={dialog.person} onClose={close} />}
      {dialog?.kind === "newLink" && (
        <NewLinkDialog person={dialog.person} onMade={handOver} onClose={close} />
      )}
      {dialog?.kind === "link" && <LinkDialog answer={dialog.answer} onClose={close} />}
    </Section>
  );
}

function columnsFor(self: string, open: (dialog: OpenDialog) => void): Column<Person>[] {
  return [
    {
      id: "person",
      label: "Person",
      cell: (p) => (
        <>
          <strong className="breakable">{p.display_name}</strong>
          {p.email === self && <span className="muted"> (you)</span>}
          {p.display_name !== p.email && <span className="cell-sub">{p.email}</span>}
        </>
      ),
    },
    { id: "role", label: "Role", cell: (p) => roleWords[p.role] ?? p.role },
    { id: "status", label: "Status", cell: (p) => <StatusBadges person={p} /> },
    {
      id: "signed-in",
      label: "Last sign-in",
      cell: (p) => <Time value={p.last_sign_in_at} none="never" />,
    },
    { id: "since", label: "Added", cell: (p) => <Time value={p.created_at} /> },
    {
      id: "actions",
      label: "Change",
      cell: (p) => <RowActions person={p} isSelf={p.email === self} open={open} />,
    },
  ];
}

interface RowProps {
  person: Person;
  isSelf: boolean;
  open: (dialog: OpenDialog) => void;
}

function RowActions({ person, isSelf, open }: RowProps) {
  const whose = <span className="visually-hidden"> {person.email}</span>;
  return (
    <div className="row-actions">
      <button
        type="button"
        className="button button-small"
        onClick={() => open({ kind: "edit", person })}
      >
        Edit{whose} …
      </button>
      {!isSelf && person.status !== "disabled" && (
        <button
          type="button"
          className="button button-small"
          onClick={() => open({ kind: "newLink", person })}
        >
          {person.status === "invited" ? "New link" : "Reset password"}
          {whose} …
        </button>
      )}
      {!isSelf && (
        <button
          type="button"
          className="button button-small"
          onClick={() => open({ kind: "status", person })}
        >
          {person.status === "disabled" ? "Enable" : "Disable"}
          {whose} …
        </button>
      )}
    </div>
  );
}

const looks = {
  active: { tone: "good", icon: "check", word: "Active" },
  invited: { tone: "info", icon: "clock", word: "Invited" },
  disabled: { tone: "neutral", icon: "block", word: "Disabled" },
} as const;

function StatusBadges({ person }: { person: Person }) {
  const look = looks[person.status] ?? { tone: "neutral", icon: "info", word: person.status };
  const locked = parseTime(person.locked_until);
  return (
    <span className="badges">
      <Badge tone={look.tone} icon={look.icon}>
        {look.word}
      </Badge>
      {locked && (
        <Badge tone="warn" icon="lock" title="Too many sign-ins with this address have failed.">
          Locked until {formatHour(locked)}
        </Badge>
      )}
    </span>
  );
}
