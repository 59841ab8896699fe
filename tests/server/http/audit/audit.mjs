// Every audit of the GraphQL over HTTP specification against the server at argv[2]; prints {audits: [{id, name, status, reason}]}.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.argv[2], fetchFn: fetch });
const audits = results.map(({ id, name, status, reason }) => ({ id, name, status, reason }));
console.log(JSON.stringify({ audits }));
