import { useEffect } from "react";
import { readChoice, useSearch } from "./lib/url";
import { PartnerActivity } from "./PartnerActivity";
import { PartnerLearning } from "./PartnerLearning";
import { PartnerSites } from "./PartnerSites";
import { useSession } from "./session/context";
import { humanize } from "./lib/format";
import { ErrorBoundary } from "./ui/ErrorBoundary";
import { Icon, Logo } from "./ui/icons";
import { Link } from "./ui/Link";

const tabs = ["learning", "sites", "activity"] as const;
type Tab = (typeof tabs)[number];

const tabWords: Record<Tab, string> = {
  learning: "Learning",
  sites: "Sites",
  activity: "Activity",
};

interface Props {
  onSignOut: () => Promise<void>;
}

/** Everything a partner sees after signing in: three tabs, the open one named in the address. */
export function PartnerDashboard({ onSignOut }: Props) {
  const { partner, user } = useSession();
  const tab = readChoice(useSearch(), "tab", tabs) ?? "learning";
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
              className="button button-small"
              onClick={() => void onSignOut()}
            >
              Sign out
            </button>
          </div>
        </div>
        <nav className="tabs" aria-label="Dashboard">
          {tabs.map((name) => (
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
        </ErrorBoundary>
      </main>
    </div>
  );
}
