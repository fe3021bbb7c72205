import { t } from "../words";

export default function Incidents() {
  return <h1>{t("Incidents")}</h1>;
}
