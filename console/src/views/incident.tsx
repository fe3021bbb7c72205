import { t } from "../words";

export default function Incident() {
  return <h1>{t("Incident")}</h1>;
}
