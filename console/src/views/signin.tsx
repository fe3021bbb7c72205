// Signing in with a name and a password. The page is loaded anew afterwards, as the person who has signed in.

import type { TargetedSubmitEvent } from "preact";
import { useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { useAbout } from "../about";
import { post, Refused } from "../data";
import { Notice } from "../parts/notice";
import { wayBack } from "../parts/person";
import { useTitle } from "../parts/title";
import { BASE } from "../place";
import { t } from "../words";

export default function View() {
  useTitle(t("Sign in"));
  const { person, sign_in, closed } = useAbout();
  return (
    <div class="sign-in">
      <h1>{t("Sign in")}</h1>
      {person && <p>{t("You are signed in as {name}.", { name: person.name })}</p>}
      {closed && !person && <p>{t("Whoever wants to look must sign in.")}</p>}
      {!sign_in && !person && (
        <>
          <p>{t("Nobody has an account yet. On the host an account is made by")}</p>
          <p>
            <code>weather-tool accounts add NAME --role operator</code>
          </p>
        </>
      )}
      {sign_in && !person && <Form />}
    </div>
  );
}

function Form() {
  const { path, query } = useLocation();
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const password = useRef<HTMLInputElement>(null);

  const signIn = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setBusy(true);
    try {
      await post("session", { name: given.get("name"), password: given.get("password") });
      if (path === `${BASE}/sign-in`) location.assign(wayBack(query.from));
      else location.reload();
    } catch (refused) {
      setBusy(false);
      setError(refused instanceof Refused ? said(refused) : t("The service does not answer."));
      password.current?.focus();
      password.current?.select();
    }
  };

  return (
    <form onSubmit={signIn}>
      {!window.isSecureContext && (
        <Notice kind="stale">
          {t("This connection is not encrypted: others on the network could read the password.")}
        </Notice>
      )}
      {error && <Notice kind="error">{error}</Notice>}
      <label>
        {t("Name")}
        <input name="name" required autocomplete="username" autocapitalize="none" spellcheck={false} maxLength={64} />
      </label>
      <label>
        {t("Password")}
        <input ref={password} name="password" type="password" required autocomplete="current-password" />
      </label>
      <button type="submit" class="main" disabled={busy}>
        {t("Sign in")}
      </button>
    </form>
  );
}

function said(refused: Refused): string {
  if (refused.status === 401) return t("The name or the password is wrong.");
  if (refused.status === 429) return t("There were too many attempts. Wait a minute.");
  return refused.message;
}
