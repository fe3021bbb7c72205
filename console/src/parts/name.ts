import { language } from "../words";

/** What a station is called; a name that is not known is empty or null. */
export interface Names {
  id: string;
  name_en: string | null;
  name_gr: string | null;
}

/** A station's name in the reader's language, or its id. */
export function nameOf(station: Names): string {
  const [first, second] = language === "el" ? [station.name_gr, station.name_en] : [station.name_en, station.name_gr];
  return first || second || station.id;
}
