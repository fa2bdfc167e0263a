/* What the files of the notice room share among themselves; nobody outside includes it. */
#ifndef NOTICE_NOTICE_PARTS_H
#define NOTICE_NOTICE_PARTS_H

#include "codec/json.h"
#include "domain/notice/notice.h"

/* A notice as it is told or read back. */
struct notice_row {
	int64_t id;
	struct str type, object_id;
	struct instant at;
	json_val *details;
	int64_t together; /* in one mail with it at most */
};

/* Who can be mailed. */
struct notice_reader {
	struct str username, first_name, last_name, email;
};
/*
 * *found false: nobody who is mailed: gone, inactive, suspended, without an address, or with one in a name that is reserved for examples
 * and tests.
 */
struct err *notice_reader_find(struct res_ctx *c, int64_t person_id, struct notice_reader *out, bool *found) MUST_USE;

/* Somebody whom a notice concerns. */
struct notice_person {
	int64_t id;
	enum notice_period period;
};
struct notice_people {
	struct notice_person *list;
	size_t count, room;
};
void notice_people_add(struct arena *a, struct notice_people *p, int64_t id, enum notice_period period);
/* One function a kind of notice finds them; each person comes once. */
typedef struct err *notice_find_people(struct res_ctx *c, const struct notice_row *n, struct notice_people *out);
notice_find_people notice_kpi_people, notice_retrospective_people, notice_owner_people, notice_webhook_people;

/* Where and for whom a text is written. */
struct notice_place {
	struct arena *arena;
	const struct zone *zone; /* the company's */
	struct str url;		 /* of the server; may be empty */
};

/* A name or other text of people as part of one line, which it neither ends nor turns around. */
void notice_add_line_text(struct buf *b, struct str s);
/* With the zone's name. */
void notice_add_time(struct buf *b, const struct zone *z, struct instant at);
/* A kind of notice: whom it concerns and how it is said. */
struct notice_kind {
	const char *type;
	notice_find_people *people;
	/* What it says in one line, without full stop. */
	void (*title)(struct buf *b, const struct notice_place *p, const struct notice_row *n);
	/* Lines of "  Name  value". */
	void (*lines)(struct buf *b, const struct notice_place *p, const struct notice_row *n);
	const char *why; /* the sentence that says why one gets it and how that is changed */
};
/* NULL: none of the type. */
const struct notice_kind *notice_kind_find(struct str type);

#endif
