import type { Session } from "../api/types";
import { Dialog } from "../ui/Dialog";
import { SignInForm } from "./SignIn";

interface Props {
  email: string;
  onSignedIn: (session: Session) => void;
  onLeave: () => void;
}

/** Over the page as it was: signing in again takes it away, and what was typed is still there. */
export function SessionEnded({ email, onSignedIn, onLeave }: Props) {
  return (
    <Dialog title="Your session has ended" onClose={onLeave}>
      <p>Sign in to go on where you were. What you have typed is kept.</p>
      <SignInForm email={email} onSignedIn={onSignedIn} />
    </Dialog>
  );
}
