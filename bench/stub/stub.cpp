// Benchmark subgraphs (accounts/inventory/products/reviews) as one single-threaded epoll HTTP/1.1 server.
// POST /accounts|/inventory|/products|/reviews ; GET /health /stats /distinct /reset
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data.h"
using namespace std;

// ---------------------------------------------------------------- JSON values (also GraphQL literals; VAR = variable
// ref)
struct JV {
  enum T { NUL, BOOL, NUM, STR, ARR, OBJ, VAR, ENUM } t = NUL;
  bool b = false;
  string s;
  vector<JV> a;
  vector<pair<string, JV>> o;
  const JV* get(string_view k) const {
    for (auto& p : o)
      if (p.first == k) return &p.second;
    return nullptr;
  }
};
struct JP {
  const char *p, *e;
  void ws() {
    while (p < e && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) p++;
  }
  static void utf8(string& o, unsigned c) {
    if (c < 0x80)
      o += (char)c;
    else if (c < 0x800) {
      o += (char)(0xC0 | c >> 6);
      o += (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
      o += (char)(0xE0 | c >> 12);
      o += (char)(0x80 | ((c >> 6) & 63));
      o += (char)(0x80 | (c & 63));
    } else {
      o += (char)(0xF0 | c >> 18);
      o += (char)(0x80 | ((c >> 12) & 63));
      o += (char)(0x80 | ((c >> 6) & 63));
      o += (char)(0x80 | (c & 63));
    }
  }
  string str() {
    if (p >= e || *p != '"') throw runtime_error("json: string");
    p++;
    string o;
    while (p < e && *p != '"') {
      if (*p == '\\') {
        p++;
        if (p >= e) break;
        switch (*p) {
          case 'n':
            o += '\n';
            break;
          case 't':
            o += '\t';
            break;
          case 'r':
            o += '\r';
            break;
          case 'b':
            o += '\b';
            break;
          case 'f':
            o += '\f';
            break;
          case 'u': {
            unsigned c = strtoul(string(p + 1, 4).c_str(), 0, 16);
            p += 4;
            if (c >= 0xD800 && c < 0xDC00 && p + 6 < e && p[1] == '\\' && p[2] == 'u') {
              unsigned d = strtoul(string(p + 3, 4).c_str(), 0, 16);
              p += 6;
              c = 0x10000 + ((c - 0xD800) << 10) + (d - 0xDC00);
            }
            utf8(o, c);
            break;
          }
          default:
            o += *p;
        }
        p++;
      } else {
        const char* q = p;
        while (q < e && *q != '"' && *q != '\\') q++;
        o.append(p, q - p);
        p = q;
      }
    }
    if (p >= e) throw runtime_error("json: eof");
    p++;
    return o;
  }
  JV val() {
    ws();
    if (p >= e) throw runtime_error("json: eof");
    JV v;
    switch (*p) {
      case '"':
        v.t = JV::STR;
        v.s = str();
        break;
      case '{': {
        v.t = JV::OBJ;
        p++;
        ws();
        if (p < e && *p == '}') {
          p++;
          break;
        }
        while (1) {
          ws();
          string k = str();
          ws();
          if (p >= e || *p != ':') throw runtime_error("json: colon");
          p++;
          v.o.emplace_back(move(k), val());
          ws();
          if (p < e && *p == ',') {
            p++;
            continue;
          }
          if (p < e && *p == '}') {
            p++;
            break;
          }
          throw runtime_error("json: obj");
        }
        break;
      }
      case '[': {
        v.t = JV::ARR;
        p++;
        ws();
        if (p < e && *p == ']') {
          p++;
          break;
        }
        while (1) {
          v.a.push_back(val());
          ws();
          if (p < e && *p == ',') {
            p++;
            continue;
          }
          if (p < e && *p == ']') {
            p++;
            break;
          }
          throw runtime_error("json: arr");
        }
        break;
      }
      case 't':
        v.t = JV::BOOL;
        v.b = true;
        p += 4;
        break;
      case 'f':
        v.t = JV::BOOL;
        p += 5;
        break;
      case 'n':
        p += 4;
        break;
      default: {
        v.t = JV::NUM;
        const char* q = p;
        while (p < e && strchr("+-0123456789.eE", *p)) p++;
        if (p == q) throw runtime_error("json: bad");
        v.s.assign(q, p - q);
      }
    }
    return v;
  }
};
static void jstr(string& o, string_view s) {
  o += '"';
  for (unsigned char c : s) {
    if (c == '"' || c == '\\') {
      o += '\\';
      o += c;
    } else if (c < 0x20) {
      char b[8];
      snprintf(b, 8, "\\u%04x", c);
      o += b;
    } else
      o += c;
  }
  o += '"';
}

// ---------------------------------------------------------------- GraphQL documents
struct Sel {
  enum K { FIELD, SPREAD, INLINE } k = FIELD;
  string key, name, cond;
  vector<pair<string, JV>> args;
  vector<pair<bool, JV>> inc; /* (want,if) */
  vector<Sel> sub;
};
struct Op {
  string type, name;
  vector<pair<string, JV>> defaults;
  vector<Sel> sub;
};
struct Doc {
  vector<Op> ops;
  map<string, Sel> frags;
};
struct GP {
  const char *p, *e;
  void ws() {
    while (p < e) {
      if (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r' || *p == ',')
        p++;
      else if (*p == '#') {
        while (p < e && *p != '\n') p++;
      } else
        break;
    }
  }
  bool is(char c) {
    ws();
    return p < e && *p == c;
  }
  bool eat(char c) {
    if (is(c)) {
      p++;
      return true;
    }
    return false;
  }
  void need(char c) {
    if (!eat(c)) throw runtime_error(string("graphql: expected ") + c + " near " + string(p, min<size_t>(20, e - p)));
  }
  string name() {
    ws();
    const char* q = p;
    while (p < e && (isalnum((unsigned char)*p) || *p == '_')) p++;
    if (p == q) throw runtime_error("graphql: name near " + string(p, min<size_t>(20, e - p)));
    return string(q, p - q);
  }
  JV val() {
    ws();
    JV v;
    if (p >= e) throw runtime_error("graphql: eof");
    if (*p == '$') {
      p++;
      v.t = JV::VAR;
      v.s = name();
    } else if (*p == '[') {
      p++;
      v.t = JV::ARR;
      while (!eat(']')) v.a.push_back(val());
    } else if (*p == '{') {
      p++;
      v.t = JV::OBJ;
      while (!eat('}')) {
        string k = name();
        need(':');
        v.o.emplace_back(k, val());
      }
    } else if (*p == '"') {
      JP j{p, e};
      v.t = JV::STR;
      v.s = j.str();
      p = j.p;
    } else if (*p == '-' || isdigit((unsigned char)*p)) {
      const char* q = p;
      while (p < e && strchr("+-0123456789.eE", *p)) p++;
      v.t = JV::NUM;
      v.s.assign(q, p - q);
    } else {
      string n = name();
      if (n == "true") {
        v.t = JV::BOOL;
        v.b = true;
      } else if (n == "false")
        v.t = JV::BOOL;
      else if (n == "null") {
      } else {
        v.t = JV::ENUM;
        v.s = n;
      }
    }
    return v;
  }
  void args(vector<pair<string, JV>>& a) {
    if (eat('('))
      while (!eat(')')) {
        string k = name();
        need(':');
        a.emplace_back(k, val());
      }
  }
  void dirs(Sel& s) {
    while (eat('@')) {
      string n = name();
      vector<pair<string, JV>> a;
      args(a);
      if ((n == "include" || n == "skip") && a.size()) s.inc.emplace_back(n == "include", a[0].second);
    }
  }
  void sels(vector<Sel>& o) {
    need('{');
    while (!eat('}')) {
      Sel s;
      ws();
      if (p + 2 < e && p[0] == '.' && p[1] == '.' && p[2] == '.') {
        p += 3;
        if (is('{') || is('@')) {
          s.k = Sel::INLINE;
          dirs(s);
          sels(s.sub);
        } else {
          string n = name();
          if (n == "on") {
            s.k = Sel::INLINE;
            s.cond = name();
            dirs(s);
            sels(s.sub);
          } else {
            s.k = Sel::SPREAD;
            s.name = n;
            dirs(s);
          }
        }
      } else {
        s.name = s.key = name();
        if (eat(':')) s.name = name();
        args(s.args);
        dirs(s);
        if (is('{')) sels(s.sub);
      }
      o.push_back(move(s));
    }
  }
  void type() {
    if (eat('[')) {
      type();
      need(']');
    } else
      name();
    eat('!');
  }
  Doc doc() {
    Doc d;
    while (ws(), p < e) {
      if (is('{')) {
        Op o;
        o.type = "query";
        sels(o.sub);
        d.ops.push_back(move(o));
        continue;
      }
      string n = name();
      if (n == "fragment") {
        string fn = name();
        name();
        Sel s;
        s.cond = name();
        dirs(s);
        sels(s.sub);
        d.frags[fn] = move(s);
      } else {
        Op o;
        o.type = n;
        if (!is('(') && !is('{') && !is('@')) o.name = name();
        if (eat('('))
          while (!eat(')')) {
            need('$');
            string vn = name();
            need(':');
            type();
            if (eat('=')) o.defaults.emplace_back(vn, val());
            Sel dummy;
            dirs(dummy);
          }
        Sel dummy;
        dirs(dummy);
        sels(o.sub);
        d.ops.push_back(move(o));
      }
    }
    return d;
  }
};

// ---------------------------------------------------------------- execution
enum SG { ACC, INV, PRO, REV };
static const char* SGN[] = {"accounts", "inventory", "products", "reviews"};
struct Obj {
  enum T { NUL, Q, USER, REVIEW, PRODUCT, SERVICE } t = NUL;
  int i = -1;
  string id;
  const char* uname = nullptr;
  bool hasP = false, hasW = false;
  long price = 0, weight = 0;
};
static const char* TN[] = {"", "Query", "User", "Review", "Product", "_Service"};
struct Ctx {
  SG sg;
  const Doc* d;
  const JV* vars;
  const Op* op;
};
static const JV* res(const Ctx& c, const JV& v) {
  if (v.t != JV::VAR) return &v;
  if (c.vars) {
    if (auto x = c.vars->get(v.s)) return x;
  }
  for (auto& p : c.op->defaults)
    if (p.first == v.s) return &p.second;
  return nullptr;
}
static const JV* arg(const Ctx& c, const Sel& f, const char* n) {
  for (auto& p : f.args)
    if (p.first == n) return res(c, p.second);
  return nullptr;
}
static string scalar(const JV* v) {
  return v && (v->t == JV::STR || v->t == JV::NUM) ? v->s : string();
}
struct Grp {
  string_view key;
  vector<const Sel*> f;
};
static void collect(const Ctx& c, const char* tn, const vector<Sel>& ss, vector<Grp>& g) {
  for (auto& s : ss) {
    bool skip = false;
    for (auto& d : s.inc) {
      auto v = res(c, d.second);
      bool t = v && v->b;
      if (t != d.first) skip = true;
    }
    if (skip) continue;
    if (s.k == Sel::FIELD) {
      bool f = false;
      for (auto& x : g)
        if (x.key == s.key) {
          x.f.push_back(&s);
          f = true;
          break;
        }
      if (!f) g.push_back({s.key, {&s}});
    } else {
      const Sel* fs = &s;
      if (s.k == Sel::SPREAD) {
        auto it = c.d->frags.find(s.name);
        if (it == c.d->frags.end()) throw runtime_error("unknown fragment " + s.name);
        fs = &it->second;
      }
      if (!fs->cond.empty() && fs->cond != tn && fs->cond != "_Entity") continue;
      collect(c, tn, fs->sub, g);
    }
  }
}
static void obj(const Ctx& c, string& o, const Obj& x, const vector<const Sel*>& fs);
static Obj user(int i) {
  Obj x;
  x.t = Obj::USER;
  x.i = i;
  x.id = USERS[i].id;
  return x;
}
static int findUser(const string& id) {
  for (size_t i = 0; i < sizeof USERS / sizeof *USERS; i++)
    if (id == USERS[i].id) return i;
  return -1;
}
static int findProd(const string& id) {
  for (size_t i = 0; i < sizeof PRODUCTS / sizeof *PRODUCTS; i++)
    if (id == PRODUCTS[i].upc) return i;
  return -1;
}
static const int NREV = sizeof REVIEWS / sizeof *REVIEWS, NUSER = sizeof USERS / sizeof *USERS,
                 NPROD = sizeof PRODUCTS / sizeof *PRODUCTS;
static Obj review(int i) {
  Obj x;
  x.t = Obj::REVIEW;
  x.i = i;
  x.id = REVIEWS[i].id;
  return x;
}
static Obj product(int i, const string& upc) {
  Obj x;
  x.t = Obj::PRODUCT;
  x.i = i;
  x.id = upc;
  return x;
}
static void list(const Ctx& c, string& o, const vector<Obj>& l, const vector<const Sel*>& fs) {
  o += '[';
  for (size_t i = 0; i < l.size(); i++) {
    if (i) o += ',';
    if (l[i].t == Obj::NUL)
      o += "null";
    else
      obj(c, o, l[i], fs);
  }
  o += ']';
}
static Obj entity(const Ctx& c, const JV& r) {
  const string tn = scalar(r.get("__typename"));
  if (tn == "User" && (c.sg == ACC || c.sg == REV)) {
    string id = scalar(r.get("id"));
    if (c.sg == ACC) {
      int i = findUser(id);
      if (i < 0) return {};
      return user(i);
    }
    Obj x;
    x.t = Obj::USER;
    x.id = id;
    x.uname = "user";
    return x;
  }
  if (tn == "Product" && c.sg != ACC) {
    string upc = scalar(r.get("upc"));
    int i = findProd(upc);
    if (c.sg != REV && i < 0) return {};
    Obj x = product(i, upc);
    if (auto p = r.get("price"))
      if (p->t == JV::NUM) {
        x.hasP = true;
        x.price = atol(p->s.c_str());
      }
    if (auto p = r.get("weight"))
      if (p->t == JV::NUM) {
        x.hasW = true;
        x.weight = atol(p->s.c_str());
      }
    return x;
  }
  if (tn == "Review" && c.sg == REV) {
    string id = scalar(r.get("id"));
    for (int i = 0; i < NREV; i++)
      if (id == REVIEWS[i].id) return review(i);
    return {};
  }
  throw runtime_error("cannot resolve entity " + tn + " in " + SGN[c.sg]);
}
static void num(string& o, long v) {
  o += to_string(v);
}
static const char* SDL[4];
static void field(const Ctx& c, string& o, const Obj& x, const vector<const Sel*>& fs) {
  const string& n = fs[0]->name;
  if (n == "__typename") {
    o += '"';
    o += TN[x.t];
    o += '"';
    return;
  }
  switch (x.t) {
    case Obj::SERVICE:
      if (n == "sdl") {
        jstr(o, SDL[c.sg]);
        return;
      }
      break;
    case Obj::Q:
      if (n == "_service") {
        Obj s;
        s.t = Obj::SERVICE;
        obj(c, o, s, fs);
        return;
      }
      if (n == "_entities") {
        auto r = arg(c, *fs[0], "representations");
        vector<Obj> l;
        if (!r || r->t != JV::ARR) throw runtime_error("representations missing");
        l.reserve(r->a.size());
        for (auto& e : r->a) l.push_back(entity(c, e));
        list(c, o, l, fs);
        return;
      }
      if (c.sg == ACC) {
        if (n == "me") {
          obj(c, o, user(0), fs);
          return;
        }
        if (n == "user") {
          int i = findUser(scalar(arg(c, *fs[0], "id")));
          if (i < 0)
            o += "null";
          else
            obj(c, o, user(i), fs);
          return;
        }
        if (n == "users") {
          vector<Obj> l;
          for (int i = 0; i < NUSER; i++) l.push_back(user(i));
          list(c, o, l, fs);
          return;
        }
      }
      if (c.sg == PRO && n == "topProducts") {
        auto f = arg(c, *fs[0], "first");
        int k = f && f->t == JV::NUM ? atoi(f->s.c_str()) : 5;
        vector<Obj> l;
        for (int i = 0; i < k && i < NPROD; i++) l.push_back(product(i, PRODUCTS[i].upc));
        list(c, o, l, fs);
        return;
      }
      break;
    case Obj::USER:
      if (n == "id") {
        jstr(o, x.id);
        return;
      }
      if (c.sg == ACC) {
        const UserD& u = USERS[x.i];
        if (n == "name") {
          jstr(o, u.name);
          return;
        }
        if (n == "username") {
          jstr(o, u.username);
          return;
        }
        if (n == "birthday") {
          num(o, u.birthday);
          return;
        }
      }
      if (c.sg == REV) {
        if (n == "username") {
          jstr(o, x.uname);
          return;
        }
        if (n == "reviews") {
          list(c, o, {review(0), review(1)}, fs);
          return;
        }
      }
      break;
    case Obj::PRODUCT:
      if (n == "upc") {
        jstr(o, x.id);
        return;
      }
      if (c.sg == PRO) {
        const ProdD& p = PRODUCTS[x.i];
        if (n == "name") {
          jstr(o, p.name);
          return;
        }
        if (n == "price") {
          num(o, p.price);
          return;
        }
        if (n == "weight") {
          num(o, p.weight);
          return;
        }
      }
      if (c.sg == INV) {
        if (n == "inStock") {
          o += PRODUCTS[x.i].inStock ? "true" : "false";
          return;
        }
        if (n == "price") {
          if (x.hasP)
            num(o, x.price);
          else
            o += "null";
          return;
        }
        if (n == "weight") {
          if (x.hasW)
            num(o, x.weight);
          else
            o += "null";
          return;
        }
        if (n == "shippingEstimate") {
          if (x.hasP) {
            if (x.price > 1000) {
              o += '0';
              return;
            }
            if (x.hasW) {
              num(o, x.weight / 2);
              return;
            }
          }
          o += "null";
          return;
        }
      }
      if (c.sg == REV && n == "reviews") {
        vector<Obj> l;
        for (int i = 0; i < NREV; i++)
          if (x.id == REVIEWS[i].upc) l.push_back(review(i));
        list(c, o, l, fs);
        return;
      }
      break;
    case Obj::REVIEW: {
      const RevD& r = REVIEWS[x.i];
      if (n == "id") {
        jstr(o, r.id);
        return;
      }
      if (n == "body") {
        jstr(o, r.body);
        return;
      }
      if (n == "product") {
        obj(c, o, product(findProd(r.upc), r.upc), fs);
        return;
      }
      if (n == "author") {
        Obj u;
        u.t = Obj::USER;
        u.id = "1";
        u.uname = "urigo";
        obj(c, o, u, fs);
        return;
      }
      break;
    }
    default:
      break;
  }
  throw runtime_error("Cannot query field " + n + " on type " + TN[x.t] + " in " + SGN[c.sg]);
}
static void obj(const Ctx& c, string& o, const Obj& x, const vector<const Sel*>& fs) {
  vector<Grp> g;
  for (auto f : fs) collect(c, TN[x.t], f->sub, g);
  if (g.empty()) throw runtime_error("selection required on " + string(TN[x.t]));
  o += '{';
  bool first = true;
  for (auto& k : g) {
    if (!first) o += ',';
    first = false;
    o += '"';
    o += k.key;
    o += "\":";
    field(c, o, x, k.f);
  }
  o += '}';
}

static unordered_map<string, unique_ptr<Doc>> DOCS;
static string execute(SG sg, const char* b, size_t n) {
  string o;
  try {
    JP jp{b, b + n};
    JV body = jp.val();
    auto q = body.get("query");
    if (!q || q->t != JV::STR) throw runtime_error("no query");
    auto it = DOCS.find(q->s);
    if (it == DOCS.end()) {
      GP g{q->s.data(), q->s.data() + q->s.size()};
      if (DOCS.size() > 2000) DOCS.clear();
      it = DOCS.emplace(q->s, make_unique<Doc>(g.doc())).first;
    }
    auto on = body.get("operationName");
    const Op* op = nullptr;
    for (auto& x : it->second->ops)
      if (!on || on->t != JV::STR || x.name == on->s || it->second->ops.size() == 1) {
        op = &x;
        break;
      }
    if (!op || op->type != "query") throw runtime_error("no query operation");
    const JV* vars = body.get("variables");
    Ctx c{sg, it->second.get(), vars, op};
    Sel root;
    root.sub = op->sub;
    Obj Q;
    Q.t = Obj::Q;
    o = "{\"data\":";
    obj(c, o, Q, {&root});
    o += '}';
  } catch (exception& e) {
    o = "{\"errors\":[{\"message\":";
    jstr(o, e.what());
    o += "}],\"data\":null}";
    fprintf(stderr, "ERR %s: %s | %.*s\n", SGN[sg], e.what(), (int)min<size_t>(n, 600), b);
  }
  return o;
}

// ---------------------------------------------------------------- HTTP
static string http(string_view body, const char* ct = "application/json", const char* st = "200 OK") {
  string r = "HTTP/1.1 ";
  r += st;
  r += "\r\ncontent-type: ";
  r += ct;
  r += "\r\ncontent-length: ";
  r += to_string(body.size());
  r += "\r\n\r\n";
  r += body;
  return r;
}
struct Entry {
  string resp;
  unsigned long hits = 0;
};
static unordered_map<string, unique_ptr<Entry>> CACHE;
static size_t cacheBytes = 0;
static unsigned long CNT[4], BIN, BOUT, HIT, MISS, CONNS, OPEN;
static int DELAY = 0;
static bool NOCACHE = false;
struct Conn {
  int fd;
  string in, out;
  size_t op = 0;
  unsigned gen = 0;
  bool wr = false;
  bool alive = false;
};
static vector<Conn> C;
static int EP;
struct Later {
  chrono::steady_clock::time_point t;
  int fd;
  unsigned gen;
  string r;
};
static deque<Later> Lq;
static void closec(Conn& c) {
  if (!c.alive) return;
  epoll_ctl(EP, EPOLL_CTL_DEL, c.fd, 0);
  close(c.fd);
  c.alive = false;
  c.gen++;
  c.in.clear();
  c.out.clear();
  c.op = 0;
  c.wr = false;
  OPEN--;
}
static void flush(Conn& c) {
  while (c.op < c.out.size()) {
    ssize_t k = send(c.fd, c.out.data() + c.op, c.out.size() - c.op, MSG_NOSIGNAL);
    if (k <= 0) {
      if (k < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (!c.wr) {
          epoll_event ev{EPOLLIN | EPOLLOUT, {.fd = c.fd}};
          epoll_ctl(EP, EPOLL_CTL_MOD, c.fd, &ev);
          c.wr = true;
        }
        return;
      }
      closec(c);
      return;
    }
    c.op += k;
  }
  c.out.clear();
  c.op = 0;
  if (c.wr) {
    epoll_event ev{EPOLLIN, {.fd = c.fd}};
    epoll_ctl(EP, EPOLL_CTL_MOD, c.fd, &ev);
    c.wr = false;
  }
}
static void sendr(Conn& c, const string& r) {
  BOUT += r.size();
  if (c.out.empty()) {
    ssize_t k = send(c.fd, r.data(), r.size(), MSG_NOSIGNAL);
    if (k == (ssize_t)r.size()) return;
    if (k < 0) {
      if (errno != EAGAIN) {
        closec(c);
        return;
      }
      k = 0;
    }
    c.out.assign(r, k, string::npos);
    flush(c);
  } else {
    c.out += r;
    flush(c);
  }
}
static string fixed10k;
static void handle(Conn& c, string_view m, string_view path, string_view body) {
  BIN += body.size();
  string r;
  int sg = -1;
  string_view pp = path;
  if (auto q = pp.find('?'); q != string_view::npos) pp = pp.substr(0, q);
  if (pp.size() > 1 && pp.back() == '/') pp.remove_suffix(1);
  for (int i = 0; i < 4; i++)
    if (pp.size() == strlen(SGN[i]) + 1 && pp.substr(1) == SGN[i]) sg = i;
  if (sg >= 0 && m == "POST") {
    CNT[sg]++;
    if (NOCACHE) {
      r = http(execute((SG)sg, body.data(), body.size()));
      MISS++;
    } else {
      static string key;
      key.assign(1, (char)('0' + sg));
      key.append(body);
      auto it = CACHE.find(key);
      if (it != CACHE.end()) {
        HIT++;
        it->second->hits++;
        if (!DELAY) {
          sendr(c, it->second->resp);
          return;
        }
        r = it->second->resp;
      } else {
        MISS++;
        r = http(execute((SG)sg, body.data(), body.size()));
        if (cacheBytes + key.size() + r.size() < (256u << 20) && CACHE.size() < 20000) {
          cacheBytes += key.size() + r.size();
          auto e = make_unique<Entry>();
          e->resp = r;
          e->hits = 1;
          CACHE.emplace(key, move(e));
        }
      }
    }
    if (DELAY) {
      Lq.push_back({chrono::steady_clock::now() + chrono::milliseconds(DELAY), c.fd, c.gen, move(r)});
      return;
    }
  } else if (pp == "/fixed10k")
    r = fixed10k;
  else if (pp == "/health")
    r = http("OK", "text/plain");
  else if (pp == "/stats") {
    char b[512];
    snprintf(b, 512,
             "{\"accounts\":%lu,\"inventory\":%lu,\"products\":%lu,\"reviews\":%lu,\"bytes_in\":%lu,\"bytes_out\":%lu,"
             "\"cache_hit\":%lu,\"cache_miss\":%lu,\"conns_total\":%lu,\"conns_open\":%lu}",
             CNT[0], CNT[1], CNT[2], CNT[3], BIN, BOUT, HIT, MISS, CONNS, OPEN);
    r = http(b);
  } else if (pp == "/distinct") {
    string o = "[";
    bool f = true;
    for (auto& p : CACHE) {
      if (!f) o += ',';
      f = false;
      o += "{\"subgraph\":\"";
      o += SGN[p.first[0] - '0'];
      o += "\",\"hits\":" + to_string(p.second->hits) + ",\"resp_bytes\":" + to_string(p.second->resp.size()) +
           ",\"body\":";
      jstr(o, string_view(p.first).substr(1));
      o += '}';
    }
    o += ']';
    r = http(o);
  } else if (pp == "/reset") {
    CACHE.clear();
    DOCS.clear();
    cacheBytes = 0;
    memset(CNT, 0, sizeof CNT);
    BIN = BOUT = HIT = MISS = 0;
    r = http("{}");
  } else
    r = http("not found", "text/plain", "404 Not Found");
  sendr(c, r);
}
static bool ieq(string_view a, const char* b) {
  size_t n = strlen(b);
  return a.size() == n && strncasecmp(a.data(), b, n) == 0;
}
static void process(Conn& c) {
  size_t pos = 0;
  unsigned gen = c.gen;
  while (c.alive && c.gen == gen) {
    size_t h = c.in.find("\r\n\r\n", pos);
    if (h == string::npos) break;
    string_view hd(c.in.data() + pos, h - pos);
    size_t le = hd.find("\r\n");
    string_view rl = hd.substr(0, le == string_view::npos ? hd.size() : le);
    size_t s1 = rl.find(' '), s2 = rl.rfind(' ');
    if (s1 == string_view::npos || s2 <= s1) {
      closec(c);
      return;
    }
    string_view m = rl.substr(0, s1), path = rl.substr(s1 + 1, s2 - s1 - 1);
    size_t cl = 0;
    bool chunked = false, exp = false, cc = false;
    size_t i = le;
    while (i != string_view::npos && i < hd.size()) {
      i += 2;
      size_t j = hd.find("\r\n", i);
      string_view ln = hd.substr(i, (j == string_view::npos ? hd.size() : j) - i);
      size_t k = ln.find(':');
      if (k != string_view::npos) {
        string_view n = ln.substr(0, k), v = ln.substr(k + 1);
        while (v.size() && v[0] == ' ') v.remove_prefix(1);
        if (ieq(n, "content-length"))
          cl = strtoul(string(v).c_str(), 0, 10);
        else if (ieq(n, "transfer-encoding"))
          chunked = v.find("chunked") != string_view::npos;
        else if (ieq(n, "expect"))
          exp = true;
        else if (ieq(n, "connection"))
          cc = ieq(v, "close");
      }
      i = j;
    }
    size_t b = h + 4;
    if (exp && c.in.size() == b) sendr(c, "HTTP/1.1 100 Continue\r\n\r\n");
    string dec;
    string_view body;
    size_t end;
    if (chunked) {
      size_t p = b;
      bool done = false;
      while (1) {
        size_t e = c.in.find("\r\n", p);
        if (e == string::npos) break;
        size_t n = strtoul(c.in.c_str() + p, 0, 16);
        if (c.in.size() < e + 2 + n + 2) break;
        if (n == 0) {
          done = true;
          p = e + 4;
          break;
        }
        dec.append(c.in, e + 2, n);
        p = e + 2 + n + 2;
      }
      if (!done) break;
      body = dec;
      end = p;
    } else {
      if (c.in.size() < b + cl) break;
      body = string_view(c.in.data() + b, cl);
      end = b + cl;
    }
    handle(c, m, path, body);
    if (cc && c.alive && c.gen == gen && !DELAY) {
      flush(c);
      closec(c);
      return;
    }
    pos = end;
  }
  if (c.alive && c.gen == gen && pos) c.in.erase(0, pos);
}
int main(int argc, char** argv) {
  int port = argc > 1 ? atoi(argv[1]) : 24200;
  if (auto d = getenv("DELAY_MS")) DELAY = atoi(d);
  if (getenv("NOCACHE")) NOCACHE = true;
  signal(SIGPIPE, SIG_IGN);
  {
    string s = "{\"d\":\"";
    s.append(10240 - 8, 'x');
    s += "\"}";
    fixed10k = http(s);
  }
  static string sdl[4];
  for (int i = 0; i < 4; i++) {
    string fn = string(getenv("SCHEMA_DIR") ? getenv("SCHEMA_DIR") : "schema") + "/" + SGN[i] + ".graphql";
    if (FILE* f = fopen(fn.c_str(), "r")) {
      char b[65536];
      size_t n = fread(b, 1, sizeof b, f);
      sdl[i].assign(b, n);
      fclose(f);
    }
    SDL[i] = sdl[i].c_str();
  }
  int ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, 4);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
  if (bind(ls, (sockaddr*)&a, sizeof a) || listen(ls, 4096)) {
    perror("bind");
    return 1;
  }
  EP = epoll_create1(0);
  epoll_event ev{EPOLLIN, {.fd = ls}};
  epoll_ctl(EP, EPOLL_CTL_ADD, ls, &ev);
  C.resize(65536);
  printf("stub on 127.0.0.1:%d delay=%d nocache=%d\n", port, DELAY, NOCACHE);
  fflush(stdout);
  epoll_event evs[512];
  static char buf[1 << 18];
  while (1) {
    int to = -1;
    if (!Lq.empty()) {
      auto d = chrono::duration_cast<chrono::microseconds>(Lq.front().t - chrono::steady_clock::now()).count();
      to = d <= 0 ? 0 : (int)((d + 999) / 1000);
    }
    int n = epoll_wait(EP, evs, 512, to);
    for (int i = 0; i < n; i++) {
      int fd = evs[i].data.fd;
      if (fd == ls) {
        while (1) {
          int k = accept4(ls, 0, 0, SOCK_NONBLOCK);
          if (k < 0) break;
          if (k >= (int)C.size()) {
            close(k);
            continue;
          }
          setsockopt(k, IPPROTO_TCP, TCP_NODELAY, &one, 4);
          Conn& c = C[k];
          c.fd = k;
          c.alive = true;
          c.gen++;
          c.in.clear();
          c.out.clear();
          c.op = 0;
          c.wr = false;
          CONNS++;
          OPEN++;
          epoll_event e2{EPOLLIN, {.fd = k}};
          epoll_ctl(EP, EPOLL_CTL_ADD, k, &e2);
        }
        continue;
      }
      Conn& c = C[fd];
      if (!c.alive) continue;
      if (evs[i].events & EPOLLOUT) flush(c);
      if (c.alive && (evs[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
        ssize_t k = recv(fd, buf, sizeof buf, 0);
        if (k <= 0) {
          if (k == 0 || (errno != EAGAIN && errno != EINTR)) closec(c);
          continue;
        }
        c.in.append(buf, k);
        process(c);
      }
    }
    auto now = chrono::steady_clock::now();
    while (!Lq.empty() && Lq.front().t <= now) {
      Later l = move(Lq.front());
      Lq.pop_front();
      Conn& c = C[l.fd];
      if (c.alive && c.gen == l.gen) sendr(c, l.r);
    }
  }
}
