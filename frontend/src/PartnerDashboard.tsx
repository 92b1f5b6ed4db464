import { lazy, Suspense, useEffect, useState } from "react";
import { readChoice, useSearch } from "./lib/url";
import { PartnerActivity } from "./PartnerActivity";
import { PartnerLearning } from "./PartnerLearning";
import { PartnerSites } from "./PartnerSites";
import { ChangePasswordDialog } from "./session/ChangePassword";
import { useIsAdmin, useSession } from "./session/context";
import { humanize } from "./lib/format";
import { ErrorBoundary } from "./ui/ErrorBoundary";
import { Icon, Logo } from "./ui/icons";
import { Link } from "./ui/Link";
import { SkeletonRows } from "./ui/Table";

// Few people are admins: what only they see is fetched when they look.
const PartnerAccess = lazy(() => import("./access/PartnerAccess"));

const tabs = ["learning", "sites", "activity", "access"] as const;
type Tab = (typeof tabs)[number];

const tabWords: Record<Tab, string> = {
  learning: "Learning",
  sites: "Sites",
  activity: "Activity",
  access: "Access",
};

interface Props {
  onSignOut: () => Promise<void>;
}

/** Everything a partner sees after signing in: tabs, the open one named in the address. */
export function PartnerDashboard({ onSignOut }: Props) {
  const { partner, user } = useSession();
  const tab = readChoice(useSearch(), "tab", tabs) ?? "learning";
  const isAdmin = useIsAdmin();
  const [changingPassword, setChangingPassword] = useState(false);
  const brand = partner.brand_name || partner.name;

  useEffect(() => {
    document.title = `${tabWords[tab]} · ${brand} · Flywheel`;
  }, [tab, brand]);

  return (
    <div className="dashboard">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="top">
        <div className="top-row">
          <p className="brand">
            <Logo />
            <span>
              <strong>{brand}</strong> <span className="muted">Flywheel</span>
            </span>
          </p>
          <div className="who">
            <p>
              <span className="who-email">{user.email}</span>{" "}
              <span className="muted">{humanize(user.role)}</span>
            </p>
            <button
              type="button"
              className="button button-small who-password"
              onClick={() => setChangingPassword(true)}
            >
              Change password
            </button>
            <button
              type="button"
              className="button button-small who-leave"
              onClick={() => void onSignOut()}
            >
              Sign out
            </button>
          </div>
        </div>
        <nav className="tabs" aria-label="Dashboard">
          {tabs.filter((name) => isAdmin || name !== "access").map((name) => (
            <Link key={name} to={{ tab: name }} aria-current={name === tab ? "page" : undefined}>
              {tabWords[name]}
            </Link>
          ))}
        </nav>
      </header>
      <main id="main" tabIndex={-1}>
        <h1 className="visually-hidden">{tabWords[tab]}</h1>
        {user.role === "viewer" && (
          <p className="viewer-line">
            <Icon name="info" /> You can look at everything here. Deciding takes the role approver
            or admin.
          </p>
        )}
        <ErrorBoundary key={tab}>
          {tab === "learning" && <PartnerLearning />}
          {tab === "sites" && <PartnerSites />}
          {tab === "activity" && <PartnerActivity />}
          {tab === "access" &&
            (isAdmin ? (
              <Suspense fallback={<LoadingView />}>
                <PartnerAccess />
              </Suspense>
            ) : (
              <AdminsOnly />
            ))}
        </ErrorBoundary>
      </main>
      {changingPassword && <ChangePasswordDialog onClose={() => setChangingPassword(false)} />}
    </div>
  );
}

/** As high as the view that is being fetched. */
function LoadingView() {
  return (
    <div aria-busy="true">
      <p className="visually-hidden" role="status">
        Loading …
      </p>
      <SkeletonRows rows={8} tall />
    </div>
  );
}

/** For somebody who was sent the address of a view that is not for them. */
function AdminsOnly() {
  return (
    <div className="section state">
      <Icon name="lock" />
      <h2>People and keys are for admins</h2>
      <p>
        Only somebody with the role admin sees and changes who has access. Ask an admin of your
        organisation for whatever you need: an invitation for somebody, a password link, a key.
      </p>
      <p className="state-actions">
        <Link className="button" to={{ tab: "learning" }}>
          To the candidates
        </Link>
      </p>
    </div>
  );
}
