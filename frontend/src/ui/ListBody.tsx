import type { UseQueryResult } from "@tanstack/react-query";
import { useRef, type ReactNode } from "react";
import { formatClock } from "../lib/format";
import { useKeptFocus } from "./focus";
import { Icon, type IconName } from "./icons";
import { Notice } from "./Notice";

export interface EmptyState {
  icon: IconName;
  title: string;
  text: ReactNode;
  action?: ReactNode;
}

interface Props<T> {
  query: UseQueryResult<T>;
  /** What is being listed, for messages: "candidates". */
  what: string;
  skeleton: ReactNode;
  /** Null when there is something to show. */
  empty: (data: T) => EmptyState | null;
  children: (data: T) => ReactNode;
  /** Another way out of an error than trying again. */
  wayOut?: ReactNode;
}

/**
 * The one body of every list, in this order: loading as a skeleton of the list's own height, an error
 * with a way to try again, empty with its cause, the list. A refresh that fails leaves what is shown.
 */
export function ListBody<T>({ query, what, skeleton, empty, children, wayOut }: Props<T>) {
  const { data, error, isFetching, refetch } = query;
  if (data === undefined) {
    if (error && !isFetching) {
      return (
        <div className="state" role="alert">
          <Icon name="warn" />
          <h3>The {what} could not be loaded</h3>
          <p>{error.message}</p>
          <p className="state-actions">
            <button type="button" className="button" onClick={() => void refetch()}>
              <Icon name="refresh" /> Try again
            </button>
            {wayOut}
          </p>
        </div>
      );
    }
    return (
      <div aria-busy="true">
        <p className="visually-hidden" role="status">
          Loading {what} …
        </p>
        {skeleton}
      </div>
    );
  }
  const nothing = empty(data);
  return (
    <div className={query.isPlaceholderData ? "list-body list-stale" : "list-body"}>
      {error && (
        <Notice
          tone="warn"
          announce
          action={
            <button type="button" className="button button-small" onClick={() => void refetch()}>
              Try again
            </button>
          }
        >
          Could not refresh: {error.message} This is from{" "}
          {formatClock(new Date(query.dataUpdatedAt))}.
        </Notice>
      )}
      {nothing ? (
        <div className="state">
          <Icon name={nothing.icon} />
          <h3>{nothing.title}</h3>
          <p>{nothing.text}</p>
          {nothing.action && <p className="state-actions">{nothing.action}</p>}
        </div>
      ) : (
        children(data)
      )}
    </div>
  );
}

interface SectionProps {
  id: string;
  title: string;
  children: ReactNode;
  /** Beside the heading. */
  aside?: ReactNode;
  className?: string;
}

/** A titled part of a view. */
export function Section({ id, title, children, aside, className }: SectionProps) {
  const section = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useKeptFocus(section, heading);
  return (
    <section ref={section} className={`section ${className ?? ""}`} aria-labelledby={id}>
      <div className="section-head">
        <h2 id={id} ref={heading} tabIndex={-1}>
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

interface RefreshedProps {
  query: { dataUpdatedAt: number; isFetching: boolean; refetch: () => unknown };
}

export function Refreshed({ query }: RefreshedProps) {
  return (
    <span className="refreshed">
      <span className="muted refreshed-at">
        {query.dataUpdatedAt > 0 && (
          <>
            <span className="refreshed-word">Updated </span>
            {formatClock(new Date(query.dataUpdatedAt))}
          </>
        )}
      </span>
      <button
        type="button"
        className="button-quiet button-icon"
        aria-label="Refresh"
        title="Refresh"
        onClick={() => void query.refetch()}
      >
        <Icon name="refresh" />
      </button>
    </span>
  );
}
