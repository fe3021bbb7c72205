// What is around every view: the heading, the ways to other views, who is signed in, and whether the service answers.

import { useMemo } from "preact/hooks";
import lazy, { ErrorBoundary } from "preact-iso/lazy";
import { LocationProvider, Route, Router, useLocation } from "preact-iso/router";
import { type About, AboutContext } from "./about";
import { keepToken, useData } from "./data";
import { Notice } from "./parts/notice";
import { SignedIn } from "./parts/person";
import { BASE, link } from "./place";
import { Preferences } from "./preferences";
import { t } from "./words";

const Network = lazy(() => import("./views/network"));
const Station = lazy(() => import("./views/station"));
const Incidents = lazy(() => import("./views/incidents"));
const Incident = lazy(() => import("./views/incident"));
const Service = lazy(() => import("./views/service"));
const Hosts = lazy(() => import("./views/hosts"));
const Playback = lazy(() => import("./views/playback"));
const SignIn = lazy(() => import("./views/signin"));

const EVERY_SECONDS = 30;

export function Shell() {
  const { data, error, again } = useData<About>("about", {}, EVERY_SECONDS);
  const about = useMemo(() => data && inWords(data), [data]);
  return (
    <LocationProvider scope={BASE}>
      <button type="button" class="skip" onClick={skip}>
        {t("Skip to the content")}
      </button>
      <Heading about={about} />
      <main id="main" tabIndex={-1}>
        {error && <Notice kind="offline">{t("The service does not answer. What is shown may be old.")}</Notice>}
        {about && (
          <AboutContext.Provider value={about}>
            {about.closed && !about.person ? <SignIn /> : <Views />}
          </AboutContext.Provider>
        )}
        {!about && error && (
          <button type="button" onClick={again}>
            {t("Try again")}
          </button>
        )}
      </main>
    </LocationProvider>
  );
}

/** What was said of the service, with the variables' labels in the interface's language. */
function inWords(said: About): About {
  keepToken(said.csrf);
  return { ...said, variables: said.variables.map((one) => ({ ...one, label: t(one.label) })) };
}

/** No link: the page's base is the console's root, so that `#main` would be another view. */
function skip(): void {
  document.getElementById("main")?.focus();
}

function Views() {
  return (
    <ErrorBoundary onError={(error) => console.error(error)}>
      <Router onRouteChange={toContent}>
        <Route path={`${BASE}/`} component={Network} />
        <Route path={`${BASE}/stations/:station`} component={Station} />
        <Route path={`${BASE}/incidents`} component={Incidents} />
        <Route path={`${BASE}/incidents/:number`} component={Incident} />
        <Route path={`${BASE}/service`} component={Service} />
        <Route path={`${BASE}/hosts`} component={Hosts} />
        <Route path={`${BASE}/playback`} component={Playback} />
        <Route path={`${BASE}/sign-in`} component={SignIn} />
        <Route default component={Nothing} />
      </Router>
    </ErrorBoundary>
  );
}

let shownPath = location.pathname;

/**
 * Who goes to another view by keyboard or hears the page is at the view's beginning then. What only changes the query
 * is of the same view, and leaves the focus where it is.
 */
function toContent(): void {
  if (location.pathname === shownPath) return;
  shownPath = location.pathname;
  document.getElementById("main")?.focus({ preventScroll: true });
}

function Nothing() {
  return <Notice kind="error">{t("There is no such view.")}</Notice>;
}

/** Whether a way leads to the view that is shown, or to one that this view belongs to. */
function current(path: string, href: string): "page" | "true" | undefined {
  if (path === href) return "page";
  return href !== link([]) && path.startsWith(`${href}/`) ? "true" : undefined;
}

function Heading({ about }: { about: About | undefined }) {
  const { path } = useLocation();
  const ways: [string, string][] = [
    [link([]), t("Network")],
    [link(["incidents"]), t("Incidents")],
    [link(["playback"]), t("Playback")],
    [link(["service"]), t("Service")],
  ];
  if (about?.hosts) ways.push([link(["hosts"]), t("Hosts")]);
  return (
    <header>
      <nav aria-label={t("Views")}>
        <ul>
          {ways.map(([href, name]) => (
            <li key={href}>
              <a href={href || "/"} aria-current={current(path, href)}>
                {name}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="corner">
        {about && <SignedIn about={about} />}
        <Preferences network={about?.time_zone ?? "UTC"} />
      </div>
    </header>
  );
}
