import { t } from "../words";

export default function Playback() {
  return <h1>{t("Playback")}</h1>;
}
