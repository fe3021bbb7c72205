import { type Loaded, Refused } from "../data";
import { Notice } from "./notice";

/** Why data do not come, in the service's words; that it does not answer at all is said above every view. */
export function Failed({ of }: { of: Loaded<unknown> }) {
  return of.error instanceof Refused ? <Notice kind="error">{of.error.message}</Notice> : null;
}
