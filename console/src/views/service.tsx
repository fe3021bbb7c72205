import { t } from "../words";

export default function Service() {
  return <h1>{t("Service")}</h1>;
}
