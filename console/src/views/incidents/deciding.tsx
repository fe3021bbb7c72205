// What an operator says of incidents: one dialog for each decision, of one incident or of many at once.
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useAbout } from "../../about";
import { post, Refused, useData } from "../../data";
import { t, tn } from "../../words";
import type { Incident } from "./shapes";
import { useWhere } from "./words";

export type Decision = "acknowledge" | "assign" | "note" | "resolve" | "dismiss";
export const DECISIONS: Decision[] = ["acknowledge", "assign", "note", "resolve", "dismiss"];

const NAMES: Record<Decision, () => string> = {
  acknowledge: () => t("Acknowledge"),
  assign: () => t("Assign"),
  note: () => t("Note"),
  resolve: () => t("Resolve"),
  dismiss: () => t("Dismiss"),
};
const MEANINGS: Record<Decision, () => string> = {
  acknowledge: () => t("Somebody knows of it and sees to it: nobody is reminded of it any more."),
  assign: () => t("Who is to repair it."),
  note: () => t("It is added to the history."),
  resolve: () => t("It was a fault, and it is repaired."),
  dismiss: () => t("It was no fault: nobody is told of it again while it goes on."),
};
const KEYS: Record<string, Decision> = { a: "acknowledge", s: "assign", n: "note", r: "resolve", d: "dismiss" };

export const decisionName = (what: Decision) => NAMES[what]();
export const decisionKey = (what: Decision) => Object.keys(KEYS).find((key) => KEYS[key] === what) ?? "";
export const decisionOf = (key: string): Decision | undefined => KEYS[key];

/** Whether a decision can be taken of incidents that are over as well. */
export function possible(what: Decision, incidents: Incident[]): boolean {
  if (what === "acknowledge")
    return incidents.every((one) => one.state !== "resolved" && one.state !== "dismissed" && !one.acknowledged);
  if (what === "assign") return incidents.every((one) => one.state !== "resolved" && one.state !== "dismissed");
  return true;
}

interface Props {
  what: Decision;
  incidents: Incident[];
  /** It was done: incidents as they are now. */
  onDone: (changed: Incident[], said: string) => void;
  /** Somebody else was faster, or it is not known whether it was done: what is shown is to be loaded again. */
  onStale: () => void;
  onClose: () => void;
}

export function Deciding({ what, incidents, onDone, onStale, onClose }: Props) {
  const { person } = useAbout();
  const [note, setNote] = useState("");
  const [to, setTo] = useState(person?.name ?? "");
  const [verdict, setVerdict] = useState("weather");
  const { error, busy, act } = useActing(onStale);
  const { data } = useData<{ people: string[] }>(what === "assign" ? "incidents/people" : null);
  const names = useId();
  const where = useWhere();

  const submit = () =>
    act(async () => {
      const ids = incidents.map((one) => one.id);
      const seen = Object.fromEntries(incidents.map((one) => [one.id, one.version]));
      const body = {
        note,
        ...(what === "assign" && { to }),
        ...(what === "dismiss" && { verdict }),
        ...(what !== "note" && { seen }),
      };
      const answer = await post<{ incidents: Incident[] }>(`incidents/${ids.join(",")}/${what}`, body);
      onDone(answer.incidents, saidOf(what, answer.incidents));
    });

  return (
    <Dialog title={title(what, incidents)} onClose={onClose} onSubmit={submit}>
      <ul class="about">
        {incidents.slice(0, NAMED).map((one) => (
          <li key={one.id}>{where(one)}</li>
        ))}
        {incidents.length > NAMED && <li>{tn("and {n} more", "and {n} more", incidents.length - NAMED)}</li>}
      </ul>
      <p>{MEANINGS[what]()}</p>
      {what === "assign" && (
        <label>
          {t("Assign to")}
          <input
            value={to}
            onInput={(event) => setTo(event.currentTarget.value)}
            list={names}
            maxLength={64}
            autocomplete="off"
            autofocus
          />
          <datalist id={names}>
            {data?.people.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
          <small>{t("Empty: nobody.")}</small>
        </label>
      )}
      {what === "dismiss" && (
        <fieldset>
          <legend>{t("What it was")}</legend>
          <Choice name="verdict" value="weather" chosen={verdict} onChoose={setVerdict}>
            {t("Weather: what was read is true")}
          </Choice>
          <Choice name="verdict" value="siting" chosen={verdict} onChoose={setVerdict}>
            {t("Siting: the sensor is well, but stands where it should not")}
          </Choice>
        </fieldset>
      )}
      <label>
        {t("Note")}
        <textarea
          rows={3}
          maxLength={1000}
          required={what === "note"}
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
          autofocus={what !== "assign" && what !== "dismiss"}
        />
      </label>
      <Buttons error={error} busy={busy} name={NAMES[what]()} onClose={onClose} />
    </Dialog>
  );
}
// So many incidents are named in the dialog.
const NAMED = 5;

function Choice(props: {
  name: string;
  value: string;
  chosen: string;
  onChoose: (value: string) => void;
  children: ComponentChildren;
}) {
  const { name, value, chosen, onChoose, children } = props;
  return (
    <label class="choice">
      <input type="radio" name={name} checked={chosen === value} onChange={() => onChoose(value)} />
      {children}
    </label>
  );
}

/** What a form that acts has below its fields. */
export function Buttons(props: { error: string | undefined; busy: boolean; name: string; onClose: () => void }) {
  return (
    <>
      <p role="alert" class={props.error ? "notice error" : "hidden"}>
        {props.error}
      </p>
      <p class="buttons">
        <button type="submit" class="main" disabled={props.busy}>
          {props.name}
        </button>
        <button type="button" onClick={props.onClose}>
          {t("Cancel")}
        </button>
      </p>
    </>
  );
}

/** Does something once at a time, and has a sentence for why it could not be done. */
export function useActing(onStale: () => void) {
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const act = async (what: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await what();
    } catch (failure) {
      if (failure instanceof Refused) setError(failure.message);
      else setError(t("The service did not answer: look whether it was done before you try again."));
      if (!(failure instanceof Refused) || failure.status === 409) onStale();
    }
    setBusy(false);
  };
  return { error, busy, act };
}

/** A dialog above the view: the rest cannot be used meanwhile, Escape closes it, and the focus goes back then. */
export function Dialog(props: {
  title: string;
  onClose: () => void;
  onSubmit: () => void;
  children: ComponentChildren;
}) {
  const { title, onClose, onSubmit, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        <h2 id={heading}>{title}</h2>
        {children}
      </form>
    </dialog>
  );
}

function title(what: Decision, incidents: Incident[]): string {
  const [one] = incidents;
  if (one && incidents.length === 1) return t("{action} incident {number}", { action: NAMES[what](), number: one.id });
  return t("{action} {number} incidents", { action: NAMES[what](), number: incidents.length });
}

function saidOf(what: Decision, incidents: Incident[]): string {
  const numbers = incidents.map((one) => one.id).join(", ");
  const said: Record<Decision, () => string> = {
    acknowledge: () => t("Acknowledged: {numbers}", { numbers }),
    assign: () => t("Assigned: {numbers}", { numbers }),
    note: () => t("Noted: {numbers}", { numbers }),
    resolve: () => t("Resolved: {numbers}", { numbers }),
    dismiss: () => t("Dismissed: {numbers}", { numbers }),
  };
  return said[what]();
}
