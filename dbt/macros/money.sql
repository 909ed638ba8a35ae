{# Rates turn an amount into US dollars, in which a dollar is a dollar whether or not somebody published that. #}
{% macro usd_rate(rate, currency) -%}
    coalesce({{ rate }}, if({{ currency }} = 'USD', cast(1 as decimal(18, 8))))
{%- endmacro %}


{# `relation` needs `currency` and the column of its day. #}
{% macro rate_of_day(relation, day) -%}
    left join {{ ref("daily_exchange_rates") }} as rates
        on rates.currency = {{ relation }}.currency and rates.rate_date = {{ day }}
{%- endmacro %}


{# Of fct_transactions: nothing of a kind is a zero. #}
{% macro usd_of(kind) -%}
    cast(coalesce(sum(amount * usd_rate) filter (where transaction_type = '{{ kind }}'), 0) as decimal(38, 10))
{%- endmacro %}
