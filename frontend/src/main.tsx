import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, newQueryClient } from "./App";
import { prepareFormats } from "./lib/format";
import "./styles/index.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App client={newQueryClient()} />
  </StrictMode>,
);
// While the server is asked who this is.
prepareFormats();
