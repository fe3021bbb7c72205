import { t } from "../words";

export default function SignIn() {
  return <h1>{t("SignIn")}</h1>;
}
