// GraphiQL with our documents in a menu and, in the demo, its personas.
"use strict";

const root = ReactDOM.createRoot(document.getElementById("graphiql"));
const documents = document.getElementById("documents");
const personas = document.getElementById("personas");
const about = document.getElementById("about");
let menu = { documents: [], personas: {} };
let shown = 0;

async function fetcher(parameters, options) {
  const response = await fetch(location.pathname, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", ...options?.headers },
    body: JSON.stringify(parameters),
  });
  return response.json();
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
