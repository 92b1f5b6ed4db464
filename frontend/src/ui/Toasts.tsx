import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  type ReactNode,
} from "react";
import { createPortal } from "react-dom";
import { useTopDialog } from "../lib/openDialogs";
import { Icon } from "./icons";

export interface Toast {
  tone: "good" | "bad" | "info";
  text: ReactNode;
  action?: ReactNode;
}
type Show = (toast: Toast) => void;

const ToastContext = createContext<Show>(() => {});
export const useToast = (): Show => useContext(ToastContext);

const visibleFor = 12_000;

/**
 * Short messages after an action, read out politely; inside the topmost dialog while one is open. They leave by themselves, but not while the
 * pointer or the focus is on them, and failures stay until they are closed.
 */
export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<(Toast & { key: number })[]>([]);
  const nextKey = useRef(1);
  const close = useCallback(
    (key: number) => setToasts((all) => all.filter((toast) => toast.key !== key)),
    [],
  );
  const show = useCallback<Show>((toast) => {
    const key = nextKey.current++;
    setToasts((all) => [...all.slice(-2), { ...toast, key }]);
  }, []);
  const container = useTopDialog() ?? document.body;
  const list = useMemo(
    () => toasts.map((toast) => <OneToast key={toast.key} toast={toast} onClose={close} />),
    [toasts, close],
  );
  return (
    <ToastContext.Provider value={show}>
      {children}
      {createPortal(<Region into={container}>{list}</Region>, container)}
    </ToastContext.Provider>
  );
}

interface RegionProps {
  into: HTMLElement;
  children: ReactNode;
}

/** Empty for a moment when it moves: a live region reads out what comes into it, not what it came with. */
function Region({ into, children }: RegionProps) {
  const [settled, setSettled] = useState<HTMLElement | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(into), 60);
    return () => clearTimeout(timer);
  }, [into]);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {settled === into && children}
    </div>
  );
}

interface OneProps {
  toast: Toast & { key: number };
  onClose: (key: number) => void;
}

function OneToast({ toast, onClose }: OneProps) {
  const [held, setHeld] = useState(false);
  const stays = held || toast.tone === "bad";
  useEffect(() => {
    if (stays) return;
    const timer = setTimeout(() => onClose(toast.key), visibleFor);
    return () => clearTimeout(timer);
  }, [stays, toast.key, onClose]);
  return (
    <div
      className={`toast toast-${toast.tone}`}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <Icon name={toast.tone === "bad" ? "warn" : toast.tone === "good" ? "check" : "info"} />
      <div className="toast-text">
        {toast.text} {toast.action}
      </div>
      <button
        type="button"
        className="button-quiet button-icon"
        aria-label="Close message"
        onClick={() => onClose(toast.key)}
      >
        <Icon name="cross" />
      </button>
    </div>
  );
}
