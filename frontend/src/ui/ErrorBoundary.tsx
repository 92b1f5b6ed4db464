import { Component, type ReactNode } from "react";
import { Icon } from "./icons";

interface Props {
  children: ReactNode;
}

/** A mistake of ours in one view is said there, and leaves the rest of the dashboard usable. */
export class ErrorBoundary extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <div className="state" role="alert">
        <Icon name="warn" />
        <h2>This view cannot be shown</h2>
        <p>Something in the dashboard went wrong. Nothing you decided is lost.</p>
        <p className="state-actions">
          <button type="button" className="button" onClick={() => window.location.reload()}>
            <Icon name="refresh" /> Load the page again
          </button>
        </p>
      </div>
    );
  }
}
