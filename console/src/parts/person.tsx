// Who has signed in: the ways to sign in and out.
import { useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import type { About } from "../about";
import { end } from "../data";
import { BASE, link } from "../place";
import { t } from "../words";

/** The way to the form; after it one is where one was. */
export function SignInLink() {
  const { url } = useLocation();
  return <a href={link(["sign-in"], { from: url })}>{t("Sign in")}</a>;
}

/** Where to go after signing in: a view of this console, whatever the address asks for. */
export function wayBack(from: string | undefined): string {
  const here = `${location.origin}${BASE}/`;
  const to = new URL(from && URL.canParse(from, here) ? from : here, here);
  const ours = to.origin === location.origin && to.pathname.startsWith(`${BASE}/`);
  return ours && to.pathname !== `${BASE}/sign-in` ? to.pathname + to.search : link([""]);
}

/** Who has signed in, and the way out. Where a proxy says who it is, that is left by closing the browser. */
export function SignedIn({ about }: { about: About }) {
  const [failed, setFailed] = useState(false);
  const out = async () => {
    try {
      await end("session");
      location.reload(); // nothing that this person was shown stays
    } catch {
      setFailed(true);
    }
  };
  if (!about.person) return about.sign_in ? <SignInLink /> : null;
  return (
    <>
      <span
        class="person"
        title={about.person.role === "operator" ? t("operator") : t("viewer: may look, and not act")}
      >
        {about.person.name}
      </span>
      {about.sign_out && (
        <button type="button" onClick={out}>
          {t("Sign out")}
        </button>
      )}
      {failed && (
        <span class="critical" role="alert">
          {t("You are still signed in.")}
        </span>
      )}
    </>
  );
}
