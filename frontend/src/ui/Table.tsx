import { startTransition, useEffect, useState, type ReactNode } from "react";
import { Icon } from "./icons";

export interface Column<Row> {
  id: string;
  label: string;
  /** Instead of the label in the head, such as a tick box for all. */
  head?: ReactNode;
  /** The server's name for sorting by this column. */
  sort?: string;
  /** Which way the first press sorts. */
  firstSort?: "ascending" | "descending";
  numeric?: boolean;
  cell: (row: Row) => ReactNode;
}

interface Props<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  rowClass?: (row: Row) => string;
  sort?: string | null;
  onSort?: (sort: string | null) => void;
}

/** How many rows are drawn at once: more than fit on a screen. */
const atFirst = 10;

/**
 * A table on a wide screen, a stack of cards on a narrow one (by CSS alone). Roles are written out
 * because a table whose display is changed is otherwise no table to a screen reader.
 * What is below the screen at first is drawn a moment later, so that the first rows can be used at once.
 */
export function Table<Row>(props: Props<Row>) {
  const { caption, columns, rows, rowKey, rowClass, sort = null, onSort } = props;
  const [whole, setWhole] = useState(rows.length <= atFirst);
  useEffect(() => startTransition(() => setWhole(true)), []);
  const shown = whole ? rows : rows.slice(0, atFirst);
  return (
    <table className="table" role="table">
      <caption className="visually-hidden">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <HeadCell key={column.id} column={column} sort={sort} onSort={onSort} />
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {shown.map((row) => (
          <tr key={rowKey(row)} role="row" className={rowClass?.(row)}>
            {columns.map((column) => (
              <td
                key={column.id}
                role="cell"
                className={`cell-${column.id}${column.numeric ? " numeric" : ""}`}
                data-label={column.label}
              >
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface HeadProps<Row> {
  column: Column<Row>;
  sort: string | null;
  onSort: ((sort: string | null) => void) | undefined;
}

function HeadCell<Row>({ column, sort, onSort }: HeadProps<Row>) {
  const className = `cell-${column.id}${column.numeric ? " numeric" : ""}`;
  if (!column.sort || !onSort) {
    return (
      <th scope="col" role="columnheader" className={className}>
        {column.head ?? column.label}
      </th>
    );
  }
  const up = column.sort;
  const down = `-${column.sort}`;
  const order = sort === up ? "ascending" : sort === down ? "descending" : "none";
  const [first, second] = column.firstSort === "ascending" ? [up, down] : [down, up];
  const next = sort === first ? second : sort === second ? null : first;
  return (
    <th scope="col" role="columnheader" aria-sort={order} className={className}>
      <button type="button" className="sort" onClick={() => onSort(next)}>
        {column.label}
        <Icon name={order === "none" ? "updown" : order === "ascending" ? "up" : "down"} />
      </button>
    </th>
  );
}

/** Bars where rows will be, as high as these rows are, so that nothing jumps when they come. */
export function SkeletonRows({ rows = 8, tall = false }: { rows?: number; tall?: boolean }) {
  return (
    <div className={tall ? "skeleton-rows skeleton-tall" : "skeleton-rows"} aria-hidden="true">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="skeleton-row">
          <span className="skeleton" />
          <span className="skeleton" />
          <span className="skeleton" />
        </div>
      ))}
    </div>
  );
}
