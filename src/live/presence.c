/*
 * Presence: who is on an object at this moment, on all nodes. A thread of its own writes this node's seats to the presence table, renews
 * them and reads everybody's; subscribers are told when the list of their object is another than they were told last. Presence is no
 * event: it has no number, is not replayed and not audited. A seat whose node died ends with its lease.
 */
#include "base/hash.h"
#include "base/random.h"
#include "codec/json.h"
#include "live/live_parts.h"
#include "live/presence_sql.h"
#include <time.h>

#define LOOK_MS	 1000 /* for people on other nodes */
#define RENEW_US (15 * INSTANT_SECOND)
#define LEASE_US (45 * INSTANT_SECOND)
#define LAPSED_US \
	(30 * INSTANT_SECOND) /* other nodes may have cleared away what was not renewed for longer */
#define NODE_BYTES  12
#define ROUND_BYTES (64u << 20)
#define LIST_BYTES  (64u << 10) /* of one message: some hundred people */
#define USER_BYTES  2048	/* one of them at most, with a name all of escapes */

/* A person of this node on an object, however many streams he has there. */
struct seat {
	struct seat *next;
	int64_t company_id, person_id;
	struct live_topic object; /* its texts and the name stand behind the seat */
	struct str username;
	struct instant since;
	int streams;
	bool is_written;
};

struct presence {
	struct live *live;
	pthread_t thread;
	pthread_cond_t changes;
	bool stopping, changed;
	struct seat *seats;
	struct arena *arena; /* of the thread's round */
	struct str node;
	char node_text[NODE_BYTES * 2];
	int64_t renewed_us; /* by the clock that leases are judged by */
};

/* ---- seats (with the lock) ---- */

static struct seat **
find_seat(struct presence *p, const struct live_subscriber *s)
{
	struct seat **link = &p->seats;
	while (*link &&
		!((*link)->company_id == s->actor.company_id && (*link)->person_id == s->actor.person_id &&
			str_eq((*link)->object.object_id, s->first.object_id) &&
			str_eq((*link)->object.object_type, s->first.object_type)))
		link = &(*link)->next;
	return link;
}

static struct str
keep(char **room, struct str s)
{
	struct str kept = { *room, s.n };
	if (s.n)
		memcpy(*room, s.p, s.n);
	*room += s.n;
	return kept;
}

static struct seat *
seat_new(const struct live_subscriber *s)
{
	const struct actor *a = &s->actor;
	struct seat *x =
		calloc(1, sizeof(*x) + s->first.object_type.n + s->first.object_id.n + a->username.n + 1);
	check(x);
	char *room = (char *)(x + 1);
	x->company_id = a->company_id;
	x->person_id = a->person_id;
	x->object.object_type = keep(&room, s->first.object_type);
	x->object.object_id = keep(&room, s->first.object_id);
	x->username = keep(&room, a->username);
	x->since.us = live_now_us(s->live);
	return x;
}

static void
wake(struct presence *p)
{
	p->changed = true;
	pthread_cond_signal(&p->changes);
}

void
presence_enter(struct presence *p, struct live_subscriber *s)
{
	struct seat **link = find_seat(p, s);
	if (!*link)
		*link = seat_new(s);
	(*link)->streams++;
	s->present = true;
	wake(p);
}

void
presence_leave(struct presence *p, struct live_subscriber *s)
{
	struct seat *x = *find_seat(p, s);
	check(x);
	x->streams--;
	s->present = false;
	wake(p);
}

/* ---- what a round writes ---- */

struct round {
	struct presence *presence;
	struct seat **come, **gone; /* on the arena; the thread alone takes seats out */
	size_t come_count, gone_count;
	bool renew;
	struct instant now;
};

static void
prepare(struct presence *p, struct round *r)
{
	size_t count = 0;
	*r = (struct round){ .presence = p, .now = { live_now_us(p->live) } };
	/* Also when the clock was set: a lease is over by it, whatever passed in between. */
	const int64_t since_us = r->now.us - p->renewed_us;
	const bool lapsed = since_us > LAPSED_US || since_us < 0;
	r->renew = since_us > RENEW_US || lapsed;
	for (struct seat *x = p->seats; x; x = x->next)
		count++;
	r->come = arena_alloc_array(p->arena, count, sizeof(*r->come));
	r->gone = arena_alloc_array(p->arena, count, sizeof(*r->gone));
	for (struct seat *x = p->seats; x; x = x->next) {
		if (x->streams && (lapsed || !x->is_written))
			r->come[r->come_count++] = x;
		else if (!x->streams)
			r->gone[r->gone_count++] = x;
	}
}

static struct err *
write_round(struct db_tx *tx, void *arg)
{
	const struct round *r = arg;
	const struct db_param node = P_TEXT(r->presence->node);
	for (size_t i = 0; i < r->come_count; i++) {
		const struct seat *x = r->come[i];
		TRY(DB_EXEC(tx, &sql_presence_put, P_INT(x->company_id), P_TEXT(x->object.object_type),
			P_TEXT(x->object.object_id), node, P_INT(x->person_id), P_TEXT(x->username),
			P_INSTANT(x->since), P_INSTANT(r->now)));
	}
	for (size_t i = 0; i < r->gone_count; i++) {
		const struct seat *x = r->gone[i];
		TRY(DB_EXEC(tx, &sql_presence_drop, P_INT(x->company_id), P_TEXT(x->object.object_type),
			P_TEXT(x->object.object_id), node, P_INT(x->person_id)));
	}
	if (!r->renew)
		return NULL;
	TRY(DB_EXEC(tx, &sql_presence_renew, node, P_INSTANT(r->now)));
	return DB_EXEC(tx, &sql_presence_drop_dead, P_INT(r->now.us - LEASE_US));
}

static void
settle(struct presence *p, const struct round *r)
{
	for (size_t i = 0; i < r->come_count; i++)
		r->come[i]->is_written = true;
	for (size_t i = 0; i < r->gone_count; i++) {
		struct seat **link = &p->seats;
		/* Somebody may have come back to it; then it is written again. */
		r->gone[i]->is_written = false;
		if (r->gone[i]->streams)
			continue;
		while (*link != r->gone[i])
			link = &(*link)->next;
		*link = r->gone[i]->next;
		free(r->gone[i]);
	}
	if (r->renew)
		p->renewed_us = r->now.us;
}

/* ---- what it reads ---- */

/* The people of one object, as JSON. */
struct room_list {
	int64_t company_id;
	struct live_topic object;
	struct str users;
	uint64_t hash;
	size_t count;
	int64_t first_person;
};
struct lists {
	struct presence *presence;
	struct room_list *rooms;
	size_t count, cap;
};

static struct room_list *
room_of(struct lists *all, struct arena *a, const struct db_rows *r)
{
	struct room_list *last = all->count ? &all->rooms[all->count - 1] : NULL;
	if (last && last->company_id == db_int(r, 0) && str_eq(last->object.object_type, db_text(r, 1)) &&
		str_eq(last->object.object_id, db_text(r, 2)))
		return last;
	if (all->count == all->cap) {
		const size_t cap = all->cap ? all->cap * 2 : 64;
		all->rooms =
			arena_grow(a, all->rooms, all->cap * sizeof(*all->rooms), cap * sizeof(*all->rooms));
		all->cap = cap;
	}
	last = &all->rooms[all->count++];
	*last = (struct room_list){ .company_id = db_int(r, 0),
		.object = { db_text_copy(r, 1), db_text_copy(r, 2) },
		.first_person = db_int(r, 3) };
	return last;
}

static void
add_user(struct json_out *o, const struct db_rows *r)
{
	json_begin_object(o);
	json_pair_int(o, "user_id", db_int(r, 3));
	json_pair_str(o, "username", db_text(r, 4));
	json_key(o, STR("since"));
	buf_add_byte(o->b, '"');
	instant_write(o->b, (struct instant){ db_int(r, 5) }, INSTANT_ISO_SECONDS, NULL);
	buf_add_byte(o->b, '"');
	o->comma = true;
	json_end_object(o);
}

static struct err *
read_lists(struct db_tx *tx, void *arg)
{
	struct lists *all = arg;
	struct arena *a = db_tx_arena(tx);
	struct room_list *room = NULL;
	struct buf b;
	struct json_out o;
	struct db_rows r;
	all->rooms = NULL;
	all->count = all->cap = 0;
	TRY(DB_QUERY(tx, &sql_presence_list, &r, P_INT(live_now_us(all->presence->live) - LEASE_US)));
	for (bool row;;) {
		TRY(db_next(&r, &row));
		if (!row)
			break;
		const size_t before = all->count;
		room = room_of(all, a, &r);
		if (all->count != before) {
			buf_init_arena(&b, a, LIST_BYTES);
			json_out_init(&o, &b);
		}
		if (b.len + USER_BYTES <= LIST_BYTES) /* those who came first; half a name would be no JSON */
			add_user(&o, &r);
		room->users = buf_str(&b);
		room->count++;
	}
	for (size_t i = 0; i < all->count; i++)
		all->rooms[i].hash = hash_bytes(all->rooms[i].users, 1);
	return NULL;
}

/* ---- what it tells (with the lock) ---- */

static void
tell_room(struct live_subscriber *s, const struct room_list *room)
{
	/* Whoever comes to an empty room knows that he is there. */
	const bool is_alone = room->count == 1 && room->first_person == s->actor.person_id;
	const bool is_silent = is_alone && s->presence_told == 0;
	if (s->presence_told == room->hash)
		return;
	s->presence_told = room->hash;
	if (is_silent)
		return;
	struct buf b;
	buf_init(&b, LIST_BYTES * 2);
	buf_add_fmt(&b, "{\"users\":[%.*s]}", STR_ARG(room->users));
	struct stream_message *m = command_message(s, "presenceChanged", buf_str(&b));
	subscriber_send(s, m);
	stream_message_drop(m);
	buf_done(&b);
}

static void
tell_all(struct presence *p, const struct lists *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct room_list *room = &all->rooms[i];
		const struct topic *t = topics_find(&p->live->topics, room->company_id, &room->object);
		for (uint32_t k = 0; t && k < t->count; k++) {
			struct live_subscriber *s = t->members[k]->subscriber;
			/* Whoever came while the list was read is told with the next one, which has him. */
			if (s->present && (*find_seat(p, s))->is_written)
				tell_room(s, room);
		}
	}
}

/* ---- the thread ---- */

static void
work(struct presence *p)
{
	struct live *l = p->live;
	struct round r;
	struct lists all = { .presence = p };
	prepare(p, &r);
	pthread_mutex_unlock(&l->lock);
	struct err *e = NULL;
	const bool writes = r.come_count || r.gone_count || r.renew;
	if (writes)
		e = db_write(l->options.db, p->arena, write_round, &r);
	if (!e)
		e = db_read(l->options.db, p->arena, read_lists, &all);
	pthread_mutex_lock(&l->lock);
	if (e) {
		LOG(LOG_WARN, "presence can't be kept; trying again",
			L_STR("detail", e->detail.n ? e->detail : e->message));
		return;
	}
	settle(p, &r);
	tell_all(p, &all);
}

static void
wait_for_change(struct presence *p)
{
	struct timespec until;
	if (!p->seats) {
		pthread_cond_wait(&p->changes, &p->live->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOOK_MS / 1000;
	(void)pthread_cond_timedwait(&p->changes, &p->live->lock, &until); /* either way it is looked again */
}

static struct err *
forget_node(struct db_tx *tx, void *arg)
{
	const struct presence *p = arg;
	return DB_EXEC(tx, &sql_presence_drop_node, P_TEXT(p->node));
}

/* With one node alone (SQLite), whoever else is in the table died. */
static struct err *
forget_others(struct db_tx *tx, void *arg)
{
	const struct presence *p = arg;
	return DB_EXEC(tx, &sql_presence_drop_others, P_TEXT(p->node));
}

/* A failure leaves rows that end with their lease. */
static void
forget(struct presence *p, db_work *what)
{
	struct err *e = db_write(p->live->options.db, p->arena, what, p);
	if (e)
		LOG(LOG_WARN, "presence was not cleared",
			L_STR("detail", e->detail.n ? e->detail : e->message));
	arena_reset(p->arena);
}

static void *
presence_main(void *arg)
{
	struct presence *p = arg;
	struct live *l = p->live;
	bool wrote = false;
	if (db_kind(l->options.db) == DB_SQLITE)
		forget(p, forget_others);
	pthread_mutex_lock(&l->lock);
	while (!p->stopping) {
		if (!p->changed)
			wait_for_change(p);
		p->changed = false;
		if (p->stopping || !p->seats)
			continue;
		wrote = true;
		work(p);
		arena_reset(p->arena);
	}
	pthread_mutex_unlock(&l->lock);
	if (wrote)
		forget(p, forget_node);
	return NULL;
}

struct presence *
presence_new(struct live *l)
{
	struct presence *p = calloc(1, sizeof(*p));
	check(p);
	p->live = l;
	p->arena = arena_new(ROUND_BYTES);
	struct str node = random_token(p->arena, NODE_BYTES);
	check(node.n <= sizeof(p->node_text));
	memcpy(p->node_text, node.p, node.n);
	p->node = (struct str){ p->node_text, node.n };
	pthread_condattr_t attributes;
	check(pthread_condattr_init(&attributes) == 0);
	check(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	check(pthread_cond_init(&p->changes, &attributes) == 0);
	pthread_condattr_destroy(&attributes);
	return p;
}

void
presence_start(struct presence *p)
{
	check(pthread_create(&p->thread, NULL, presence_main, p) == 0);
}

void
presence_stop(struct presence *p)
{
	pthread_mutex_lock(&p->live->lock);
	p->stopping = true;
	pthread_cond_signal(&p->changes);
	pthread_mutex_unlock(&p->live->lock);
	check(pthread_join(p->thread, NULL) == 0);
}

void
presence_free(struct presence *p)
{
	struct seat *next;
	for (struct seat *x = p->seats; x; x = next) {
		next = x->next;
		free(x);
	}
	pthread_cond_destroy(&p->changes);
	arena_free(p->arena);
	free(p);
}
