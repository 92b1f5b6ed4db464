import { useMemo, useState, type ReactNode } from "react";
import { Icon } from "./icons";

/** What of a line is key, sign or value: enough colour to read a rule by, no parser. */
function paint(line: string): ReactNode {
  const match = /^(\s*(?:- )*)([A-Za-z_][\w.]*)(:)(\s.*|)$/.exec(line);
  if (!match) return <span className="yaml-value">{line}</span>;
  const [, lead, key, colon, rest] = match;
  return (
    <>
      {lead}
      <span className="yaml-key">{key}</span>
      {colon}
      <span className="yaml-value">{rest}</span>
    </>
  );
}

interface Props {
  text: string;
  label: string;
  /** The text as it was before: lines that are not in it are marked as changed. */
  before?: string | null;
}

export function Yaml({ text, label, before }: Props) {
  const [copied, setCopied] = useState(false);
  const old = useMemo(() => (before ? new Set(before.split("\n")) : null), [before]);
  const lines = text.replace(/\n$/, "").split("\n");

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    } catch {
      // Plain HTTP has no clipboard; the text can be marked and copied by hand.
    }
  };

  return (
    <figure className="yaml">
      <figcaption>
        <span>{label}</span>
        {navigator.clipboard && (
          <button type="button" className="button-quiet button-small" onClick={copy}>
            <Icon name={copied ? "check" : "copy"} />
            {copied ? "Copied" : "Copy"}
          </button>
        )}
      </figcaption>
      <pre>
        <code>
          {lines.map((line, index) => {
            const changed = old !== null && !old.has(line);
            const content = (
              <>
                {paint(line)}
                {"\n"}
              </>
            );
            return changed ? (
              <mark key={index} className="yaml-line yaml-changed">
                {content}
              </mark>
            ) : (
              <span key={index} className="yaml-line">
                {content}
              </span>
            );
          })}
        </code>
      </pre>
    </figure>
  );
}
