import { t } from "../words";

export default function Station() {
  return <h1>{t("Station")}</h1>;
}
