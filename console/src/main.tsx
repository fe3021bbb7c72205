import { render } from "preact";
import { Shell } from "./shell";
import { chooseWords } from "./words";

await chooseWords();
const root = document.getElementById("console");
if (root) render(<Shell />, root);
