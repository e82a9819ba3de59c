// A gateway in front of the subgraphs of a supergraph; it hands the caller's token on to them.
// `node gateway.mjs FILE` reads the supergraph from a file; it prints its address.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createGatewayRuntime } from "@graphql-hive/gateway-runtime";

const gateway = createGatewayRuntime({
  supergraph: readFileSync(process.argv[2], "utf8"),
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => {
      const authorization = request.headers.get("authorization");
      return authorization ? { authorization } : {};
    },
  },
  maskedErrors: false,
  graphiql: false,
  landingPage: false,
});
const server = createServer(gateway);
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/graphql`));
// The gateway would tidy up on a first signal and leave the server open.
process.once("SIGTERM", () => process.exit());
