// Entry of the built page: what only a bundler can bring (styles, workers), then the page itself.
import "graphiql/style.css";
import "./explorer.css";
import "./workers.js";
import { openPage } from "./page.js";

openPage(document.getElementById("explorer"));
