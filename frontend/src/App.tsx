import {
  QueryClient,
  QueryClientProvider,
  useQuery,
  useQueryClient,
  type QueryKey,
} from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import { ApiError, setCsrfToken, setSessionEndListener } from "./api/http";
import { currentSession, sessionKey, signOut } from "./api/session";
import type { Session } from "./api/types";
import { PartnerDashboard } from "./PartnerDashboard";
import { usePasswordLink } from "./lib/passwordLink";
import { SessionContext } from "./session/context";
import { SessionEnded } from "./session/SessionEnded";
import { SetPasswordPage } from "./session/SetPassword";
import { SignInPage } from "./session/SignIn";
import { Logo } from "./ui/icons";
import { Toasts, useToast } from "./ui/Toasts";

export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) =>
          failures < 1 &&
          error instanceof ApiError &&
          (error.status === 429 || error.outcomeUnknown),
        retryDelay: (_failures, error) =>
          Math.min((error instanceof ApiError ? (error.retryAfter ?? 1) : 1) * 1000, 5_000),
      },
    },
  });
}

export function App({ client }: { client: QueryClient }) {
  return (
    <QueryClientProvider client={client}>
      <Toasts>
        <SessionGate />
      </Toasts>
    </QueryClientProvider>
  );
}

const ownerOf = (session: Session) => `${session.partner.id}/${session.user.email}`;

/** All that was asked in a session; only who is signed in is not. */
const ofTheSession = {
  predicate: ({ queryKey }: { queryKey: QueryKey }) => queryKey[0] !== sessionKey[0],
};

/** Who is signed in decides what is shown: the sign-in page, or the dashboard. */
function SessionGate() {
  const client = useQueryClient();
  const toast = useToast();
  const [ended, setEnded] = useState(false);
  const [linkToken, forgetLink] = usePasswordLink();
  const [passwordSetFor, setPasswordSetFor] = useState<string | null>(null);
  const session = useQuery<Session | null>({
    queryKey: sessionKey,
    queryFn: async ({ signal }) => {
      try {
        return await currentSession(signal);
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: Infinity,
    refetchOnReconnect: false,
  });
  const known = session.data ?? null;
  const csrfToken = known?.csrf_token ?? null;

  useEffect(() => setCsrfToken(csrfToken), [csrfToken]);
  useEffect(() => {
    setSessionEndListener(() => setEnded(true));
    return () => setSessionEndListener(null);
  }, []);

  const signedIn = useCallback(
    (next: Session) => {
      const before = client.getQueryData<Session | null>(sessionKey);
      setCsrfToken(next.csrf_token);
      client.setQueryData(sessionKey, next);
      setPasswordSetFor(null);
      setEnded(false);
      // Nothing of one person's answers is left for the next.
      if (before && ownerOf(before) !== ownerOf(next)) client.removeQueries(ofTheSession);
      else void client.invalidateQueries(ofTheSession);
    },
    [client],
  );
  const toSignIn = () => {
    client.setQueryData(sessionKey, null);
    setEnded(false);
    client.removeQueries(ofTheSession);
  };
  const passwordIsSet = (email: string) => {
    setPasswordSetFor(email);
    forgetLink();
    if (known && known.user.email !== email) {
      const text = `The password of ${email} is set. You are still signed in as ${known.user.email}.`;
      toast({ tone: "good", text });
    } else if (known) {
      // Setting it has ended the session that is open here.
      toSignIn();
    }
  };
  const leave = async () => {
    try {
      await signOut();
    } catch (error) {
      // The session goes on at the server: somebody who walks away now must know.
      if (!(error instanceof ApiError) || error.status !== 401) {
        toast({ tone: "bad", text: `You are still signed in: ${(error as Error).message}` });
        return;
      }
    }
    toSignIn();
  };

  if (session.isPending) {
    return (
      <main className="booting" aria-busy="true">
        <Logo />
        <p role="status">Loading …</p>
      </main>
    );
  }
  if (session.data === undefined) {
    return (
      <main className="booting">
        <Logo />
        <h1>Flywheel cannot be reached</h1>
        <p role="alert">{session.error?.message}</p>
        <button type="button" className="button" onClick={() => void session.refetch()}>
          Try again
        </button>
      </main>
    );
  }
  if (linkToken !== null) {
    return (
      <SetPasswordPage
        key={linkToken}
        token={linkToken}
        onDone={passwordIsSet}
        onLeave={forgetLink}
      />
    );
  }
  if (!known) return <SignInPage onSignedIn={signedIn} passwordSetFor={passwordSetFor} />;
  return (
    <SessionContext value={known}>
      <PartnerDashboard key={ownerOf(known)} onSignOut={leave} />
      {ended && (
        <SessionEnded
          email={known.user.email}
          onSignedIn={signedIn}
          onLeave={toSignIn}
        />
      )}
    </SessionContext>
  );
}
