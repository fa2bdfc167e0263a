/*
 * Currencies: the active codes of ISO 4217 (list one) with their minor units. Most have two decimals, so the table holds the codes
 * grouped by their number; funds and metals without a minor unit are not offered, because no amount can be stated in them.
 */
#include "base/decimal.h"

static const struct {
	int decimals;
	const char *codes;
} groups[] = {
	{ 2, "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN "
	     "BZD CAD CDF CHE CHF CHW CNY "
	     "COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD "
	     "HNL HTG HUF IDR ILS INR IRR "
	     "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
	     "MXN MXV MYR MZN NAD NGN NIO "
	     "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD "
	     "SSP STN SVC SYP SZL THB TJS "
	     "TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG" },
	{ 0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF" },
	{ 3, "BHD IQD JOD KWD LYD OMR TND" },
	{ 4, "CLF UYW" },
};

int
currency_decimals(struct str code)
{
	if (code.n != 3)
		return -1;
	for (size_t g = 0; g < COUNT(groups); g++)
		for (const char *p = groups[g].codes; *p; p += p[3] ? 4 : 3)
			if (memcmp(p, code.p, 3) == 0)
				return groups[g].decimals;
	return -1;
}
