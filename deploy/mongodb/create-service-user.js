// Run once by the MongoDB image, while the database is empty, in the service's own database: its user may read and write
// that database and no other.
db.createUser({
  user: db.getName(),
  pwd: process.env.SERVICE_PASSWORD,
  roles: [{ role: "readWrite", db: db.getName() }],
});
