// The portal as a subgraph: it knows usagers by the subject of their token and keeps their profiles.
// `node portal.mjs FILE` reads who they are, and whose tokens count, from a JSON file; it prints its address.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { parse } from "graphql";
import { createYoga } from "graphql-yoga";
import { createLocalJWKSet, jwtVerify } from "jose";

const { usagers, articles, jwks, issuer, audience, now } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const keys = createLocalJWKSet(jwks);

async function subjectOf(request) {
  const token = request.headers.get("authorization")?.match(/^Bearer (.+)$/)?.[1];
  if (!token) return null;
  const verified = await jwtVerify(token, keys, { issuer, audience, currentDate: new Date(now) });
  return verified.payload.sub;
}

const resolvers = {
  Query: {
    me: (_, __, { subject }) => usagers.find((one) => one.subject === subject) ?? null,
    // Careless on purpose: it hands out references to anybody. They must open nothing.
    usager: (_, { id }) => ({ id }),
  },
  Usager: {
    __resolveReference: ({ id }) => ({ id }),
    profile: ({ id }, _, { subject }) => usagers.find((one) => one.id === id && one.subject === subject) ?? null,
  },
  Office: {
    __resolveReference: ({ id }) => ({ id }),
    articles: ({ id }) => articles[id] ?? [],
  },
};
const typeDefs = parse(readFileSync(new URL("portal.graphql", import.meta.url), "utf8"));
const yoga = createYoga({
  schema: buildSubgraphSchema([{ typeDefs, resolvers }]),
  context: async ({ request }) => ({ subject: await subjectOf(request) }),
  graphiql: false,
});
const server = createServer(yoga);
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/graphql`));
