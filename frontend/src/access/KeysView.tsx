import { useCallback, useState } from "react";
import { keysKey, listKeys, type PageQuery } from "../api/access";
import type { ApiKey, NewKeyAnswer } from "../api/types";
import { formatIn, isWithin, parseTime } from "../lib/format";
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
import { CreateKeyDialog, NewKeyDialog, RevokeKeyDialog, RotateKeyDialog } from "./KeyDialogs";
import { scopeWords } from "./words";

type OpenDialog =
  | { kind: "create" }
  | { kind: "rotate" | "revoke"; of: ApiKey }
  | { kind: "made"; answer: NewKeyAnswer };

/** The keys that programs use, newest first: what they may do, and how long still. */
export function KeysView() {
  useSearch();
  const pages = usePages();
  const self = useSession().user.email;
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const close = useCallback(() => setDialog(null), []);
  const query: PageQuery = { limit: pageSize, cursor: pages.cursor };
  const list = useList(keysKey(query), (signal) => listKeys(query, signal));
  const handOver = (answer: NewKeyAnswer) => setDialog({ kind: "made", answer });
  const create = (
    <button
      type="button"
      className="button button-primary"
      onClick={() => setDialog({ kind: "create" })}
    >
      <Icon name="key" /> New key …
    </button>
  );

  return (
    <Section id="keys" title="API keys" aside={<Refreshed query={list} />}>
      <div className="section-bar">
        <p className="muted">For programs. One key for each, so that one can be ended without the others.</p>
        {create}
      </div>
      <PagedList
        query={list}
        pages={pages}
        what="keys"
        rows={(page) => page.keys}
        expected={6}
        nothing={{
          icon: "key",
          title: "No keys yet",
          text: "A program that reads or decides by itself needs one.",
        }}
      >
        {(keys) => (
          <Table
            caption="API keys"
            columns={columnsFor(self, setDialog)}
            rows={keys}
            rowKey={(k) => String(k.id)}
            rowClass={(k) => (k.status === "active" ? "" : "row-off")}
          />
        )}
      </PagedList>
      {dialog?.kind === "create" && <CreateKeyDialog onMade={handOver} onClose={close} />}
      {dialog?.kind === "rotate" && (
        <RotateKeyDialog of={dialog.of} onMade={handOver} onClose={close} />
      )}
      {dialog?.kind === "revoke" && <RevokeKeyDialog of={dialog.of} onClose={close} />}
      {dialog?.kind === "made" && <NewKeyDialog answer={dialog.answer} onClose={close} />}
    </Section>
  );
}

function columnsFor(self: string, open: (dialog: OpenDialog) => void): Column<ApiKey>[] {
  return [
    {
      id: "key",
      label: "Key",
      cell: (k) => (
        <>
          <strong className="breakable">{k.name}</strong>
          <span className="cell-sub mono nowrap">{k.prefix}…</span>
        </>
      ),
    },
    {
      id: "scopes",
      label: "May",
      cell: (k) => k.scopes.map((scope) => scopeWords[scope] ?? scope).join(", "),
    },
    {
      id: "acts-as",
      label: "Acts as",
      cell: (k) => {
        if (k.acts_as === null) return <span className="muted">no person</span>;
        return <span className="breakable">{k.acts_as === self ? "you" : k.acts_as}</span>;
      },
    },
    { id: "status", label: "Status", cell: (k) => <KeyBadges of={k} /> },
    { id: "expires", label: "Ends", cell: (k) => <Time value={k.revoked_at ?? k.expires_at} /> },
    { id: "used", label: "Last used", cell: (k) => <Time value={k.last_used_at} none="never" /> },
    {
      id: "actions",
      label: "Change",
      cell: (k) => {
        if (k.status !== "active") return <span className="muted">final</span>;
        const which = <span className="visually-hidden"> {k.prefix}</span>;
        // Whose key acts as them makes its successor; and one is enough.
        const rotatable = k.replaced_by === null && (k.acts_as === null || k.acts_as === self);
        return (
          <div className="row-actions">
            {rotatable && (
              <button
                type="button"
                className="button button-small"
                onClick={() => open({ kind: "rotate", of: k })}
              >
                Rotate{which} …
              </button>
            )}
            <button
              type="button"
              className="button button-small"
              onClick={() => open({ kind: "revoke", of: k })}
            >
              Revoke{which} …
            </button>
          </div>
        );
      },
    },
  ];
}

/** From when on somebody should think of a successor. */
const soon = 14;

function KeyBadges({ of }: { of: ApiKey }) {
  if (of.status === "revoked") {
    return (
      <Badge tone="neutral" icon="block">
        Revoked
      </Badge>
    );
  }
  if (of.status === "expired") {
    return (
      <Badge tone="neutral" icon="clock">
        Expired
      </Badge>
    );
  }
  const end = parseTime(of.expires_at);
  return (
    <span className="badges">
      <Badge tone="good" icon="check">
        Active
      </Badge>
      {of.replaced_by !== null ? (
        <Badge tone="info" icon="refresh" title="A newer key has taken over; both work until this one ends.">
          Replaced
        </Badge>
      ) : (
        end &&
        isWithin(end, soon) && (
          <Badge tone="warn" icon="warn">
            Ends {formatIn(end)}
          </Badge>
        )
      )}
    </span>
  );
}
