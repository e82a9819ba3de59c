// GraphiQL with our documents in a menu and, in the demo, its personas.
"use strict";

const root = ReactDOM.createRoot(document.getElementById("graphiql"));
const documents = document.getElementById("documents");
const personas = document.getElementById("personas");
const about = document.getElementById("about");
let menu = { documents: [], personas: {} };
let shown = 0;

function post(parameters, accept, options) {
  const headers = { "content-type": "application/json", accept, ...options?.headers };
  return fetch(location.pathname, { method: "POST", headers, body: JSON.stringify(parameters) });
}

async function* followed(parameters, options) {
  const response = await post(parameters, "text/event-stream", options);
  if (!response.ok) {
    yield await response.json();
    return;
  }
  let text = "";
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (text + part).split("\n\n");
    text = events.pop();
    for (const one of events) {
      const [kind, data] = one.split("\n");
      if (kind === "event: next") yield JSON.parse(data.slice("data: ".length));
      if (kind === "event: complete") return;
    }
  }
}

async function fetcher(parameters, options) {
  const operations = options?.documentAST?.definitions ?? [];
  const chosen = operations.find((one) => !parameters.operationName || one.name?.value === parameters.operationName);
  if (chosen?.operation === "subscription") return followed(parameters, options);
  return (await post(parameters, "application/json", options)).json();
}

function nothing() {}
const forgetful = { getItem: () => null, setItem: nothing, removeItem: nothing, clear: nothing, length: 0 };

function show() {
  const chosen = menu.documents.find((one) => one.name === documents.value);
  const token = menu.personas[personas.value];
  about.textContent = chosen ? chosen.about : "";
  root.render(
    React.createElement(GraphiQL, {
      key: String(++shown),
      fetcher,
      query: chosen ? chosen.text : undefined,
      variables: chosen ? chosen.variables : undefined,
      headers: token ? JSON.stringify({ authorization: `Bearer ${token}` }, null, 2) : undefined,
      defaultEditorToolsVisibility: "variables",
      isHeadersEditorEnabled: true,
      storage: forgetful, // tokens are not kept
    }),
  );
}

function add(select, value) {
  const option = document.createElement("option");
  option.value = option.textContent = value;
  select.append(option);
}

async function begin() {
  menu = await (await fetch(new URL("explorer/menu.json", location))).json();
  for (const one of menu.documents) add(documents, one.name);
  for (const name of Object.keys(menu.personas)) add(personas, name);
  document.getElementById("as").hidden = Object.keys(menu.personas).length === 0;
  documents.addEventListener("change", show);
  personas.addEventListener("change", show);
  show();
}

begin();
