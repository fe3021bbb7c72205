import { t } from "../words";

export default function Network() {
  return <h1>{t("Network")}</h1>;
}
