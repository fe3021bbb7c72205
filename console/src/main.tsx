import { render } from "preact";
import { followScheme } from "./parts/scheme";
import { Shell } from "./shell";
import { chooseWords } from "./words";

followScheme();
await chooseWords();
const root = document.getElementById("console");
if (root) render(<Shell />, root);
