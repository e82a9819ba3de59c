// Follow something by both protocols, as front-end teams would: `node live.mjs address request` prints each first event.
import { createClient as byEvents } from "graphql-sse";
import { createClient as bySocket } from "graphql-ws";

const [url, request] = process.argv.slice(2);
const clients = {
  events: byEvents({ url, retryAttempts: 0 }),
  socket: bySocket({ url: url.replace("http", "ws"), webSocketImpl: (await import("ws")).WebSocket, retryAttempts: 0 }),
};
const found = {};
for (const [name, client] of Object.entries(clients)) {
  const results = client.iterate(JSON.parse(request));
  found[name] = (await results.next()).value;
  await results.return();
  await client.dispose();
}
console.log(JSON.stringify(found));
