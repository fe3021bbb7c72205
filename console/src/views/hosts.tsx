import { t } from "../words";

export default function Hosts() {
  return <h1>{t("Hosts")}</h1>;
}
